"""Tickets and orders from the command line, against the emulator."""

import json

import pytest

from kycourier.adapters.local.state import open_state
from kycourier.adapters.system import SystemClock
from kycourier_devkit.orders import parts
from kycourier_devkit.orders.collect import run_side_by_side
from kycourier_devkit.sandbox import Sandbox

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def call(kycourier, sandbox):
    """Run a command against the emulator."""
    return lambda *arguments, **environ: kycourier(
        *arguments, **{"KYCOURIER_KYC_URL": sandbox.url} | environ
    )


@pytest.fixture
def events(tmp_path):
    def read():
        path = tmp_path / ".kycourier/events.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    return read


def rows(ended):
    head, *lines = ended.out.splitlines()
    assert head.split() == ["ORDER", "STATE", "REASON", "CARD", "PHOTOS"]
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_refresh_buys_a_pair_once(call, sandbox):
    first = call("refresh")
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("generation 1, fresh, ")
    assert call("refresh").out.startswith("generation 1, fresh, ")
    assert sandbox.report().token_calls == 1


def test_a_refresh_that_is_refused_says_why(call, sandbox):
    sandbox.change_secret("another")
    ended = call("refresh")
    assert ended.code == 1
    assert ended.err == "The platform gave no new pair: authentication_failed.\n"


def test_a_ticket_that_is_kept_elsewhere_is_not_refreshed(call, sandbox):
    ended = call("refresh", KYCOURIER_TICKET="env:TICKET", TICKET="somebodys")
    assert (ended.code, ended.err) == (0, "")
    assert "nothing to refresh" in ended.out
    assert sandbox.report().token_calls == 0


def test_collect_says_what_became_of_each_order(call, events, monkeypatch):
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)  # the crops never come
    ended = call("collect", "A1", "codem9011x", "lostcropsx")
    assert (ended.code, ended.err) == (0, "")
    found = rows(ended)
    masked = {event["subject"]: event["data"].get("card") for event in events()}
    assert found["A1"] == ["collected", "-", masked["A1"]["number_masked"], "3"]
    assert found["codem9011x"][0] == "rejected"
    assert found["codem9011x"][2:] == ["-", "-"]
    assert found["lostcropsx"][3:] == ["1", "(2", "missing)"]
    assert "*" in found["A1"][2]


def test_collected_again_it_stays_as_it_is(call, sandbox, events):
    first = call("collect", "A1")
    assert call("collect", "A1", "A1") == first
    assert len(events()) == 1
    assert sandbox.report().queries_per_order["A1"] == 1


def test_an_order_that_has_to_wait_makes_the_exit_code_1(call):
    ended = call("collect", "A1", "notready30x")
    assert ended.code == 1
    assert rows(ended)["A1"][0] == "collected"
    assert rows(ended)["notready30x"][:2] == ["waiting", "not_ready"]


def test_order_numbers_come_from_a_file_too(call, tmp_path):
    (tmp_path / "orders.txt").write_text("A1\n\n A2 \r\nA1\n")
    ended = call("collect", "A3", "--from", "orders.txt")
    assert ended.code == 0
    assert list(rows(ended)) == ["A3", "A1", "A2"]


def test_no_more_than_the_cap_are_collected_at_once(call, sandbox):
    orders = [f"A{number}" for number in range(12)]
    ended = call("collect", *orders, KYCOURIER_MAX_IN_FLIGHT="3")
    assert ended.code == 0
    assert sandbox.report().max_concurrent_queries <= 3


def test_a_platform_that_does_not_answer_leaves_the_order_waiting(call):
    ended = call("collect", "A1", KYCOURIER_KYC_URL=CLOSED)
    assert ended.code == 1
    assert rows(ended)["A1"][:2] == ["waiting", "transient"]
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("arguments", [["refresh"], ["collect", "A1"], ["doctor"]])
def test_without_a_sandbox_the_local_commands_say_what_is_missing(
    kycourier, monkeypatch, arguments
):
    monkeypatch.setattr(parts, "SANDBOX_URL", CLOSED)
    ended = kycourier(*arguments, KYCOURIER_KYC_URL=CLOSED)
    assert ended.code == 1
    assert "is `kycourier sandbox` or `serve` running?" in ended.out + ended.err


def test_order_numbers_come_from_standard_input_too(shell):
    ended = shell("collect", "--from", "-", stdin="A1\nA-1\n")
    assert (ended.code, ended.out) == (2, "")
    assert "'A-1' is no order number" in ended.err


def test_what_one_order_raises_is_told_of_that_order():
    def work(number):
        if number == "bad":
            raise ZeroDivisionError
        return number

    outcomes = dict(run_side_by_side(work, ["A1", "bad", "A2"], 2))
    assert (outcomes["A1"], outcomes["A2"]) == ("A1", "A2")
    assert str(outcomes["bad"]) == "internal_error: ZeroDivisionError"


def test_show_tells_how_an_order_stands(call, events):
    call("collect", "A1", "codem9011x")
    ended = call("show", "A1")
    assert (ended.code, ended.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in ended.out.splitlines())
    [event] = [event for event in events() if event["subject"] == "A1"]
    assert (lines["state"], lines["event"]) == ("collected", event["id"])
    assert lines["card"] == event["data"]["card"]["number_masked"]
    assert lines["manifest"] == event["data"]["manifest"]["uri"]
    assert "reason      ocr_failed\n" in call("show", "codem9011x").out


def test_show_can_tell_it_as_the_api_does(call):
    call("collect", "A1")
    members = json.loads(call("show", "A1", "--json").out)
    assert (members["order_no"], members["state"]) == ("A1", "collected")
    assert list(members)[-1] == "result"


def test_an_unknown_order_is_told_of(call):
    ended = call("show", "A1")
    assert ended == (1, "", "There is no order A1 of SANDBOX1.\n")


def test_resume_lifts_a_parked_order(call, sandbox, events):
    sandbox.set_order("A1", "code66660013")
    assert rows(call("collect", "A1"))["A1"][0] == "parked"
    sandbox.set_order("A1", "good")
    assert call("resume", "A1") == (0, "A1: due now\n", "")
    assert rows(call("collect", "A1"))["A1"][0] == "collected"
    assert [event["type"].split(".")[2] for event in events()] == [
        "parked",
        "collected",
    ]


def test_resume_leaves_other_orders_alone(call):
    call("collect", "A1", "notready60x")
    before = call("show", "notready60x")
    ended = call("resume", "A1", "A2", "notready60x")
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        "A1: not parked but collected\n"
        "A2: not parked but unknown\n"
        "notready60x: not parked but waiting\n"
    )
    assert call("show", "A2").code == 1
    assert call("show", "notready60x") == before


def test_resume_ends_the_pause(call, sandbox):
    assert call("resume").out == "SANDBOX1: there was no pause\n"
    sandbox.set_fault("query", "appexpired")
    call("collect", "A1")
    assert rows(call("collect", "A2"))["A2"][:2] == ["waiting", "throttled"]
    assert call("resume").out == "SANDBOX1: the pause is over\n"
    assert rows(call("collect", "A2"))["A2"][0] == "collected"


def test_no_command_prints_log_lines_or_anything_secret(call, sandbox):
    ends = [
        call("refresh"),
        call("collect", "A1", "late1x", "code400101x"),
        call("show", "A1", "--json"),
        call("doctor"),
    ]
    text = "".join(ended.out + ended.err for ended in ends)
    assert '"level"' not in text
    assert not [canary for canary in sandbox.canaries() if canary in text]


def test_a_damaged_state_is_a_sentence(call, tmp_path):
    call("collect", "A1")
    state = open_state(tmp_path / ".kycourier/state.db")
    state.write(lambda rows: rows.execute("UPDATE orders SET record = 'x'"))
    ended = call("show", "A1")
    assert ended == (1, "", "kycourier: store_unavailable: order record unreadable\n")

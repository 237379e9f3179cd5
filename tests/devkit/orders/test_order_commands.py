"""The commands for tickets and orders, against the sandbox."""

import json
from io import StringIO

import pytest

from kycourier.adapters.local.schema import open_stores
from kycourier.adapters.system import SystemClock
from kycourier_devkit.orders import container
from kycourier_devkit.orders.collect import run_concurrently
from kycourier_devkit.sandbox import Sandbox

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def call(kycourier, sandbox):
    """Run a command against the sandbox."""
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


def rows(result):
    head, *lines = result.out.splitlines()
    assert head.split() == ["ORDER", "STATE", "REASON", "CARD", "PHOTOS"]
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_refresh_obtains_one_pair(call, sandbox):
    first = call("refresh")
    assert (first.code, first.err) == (0, "")
    assert first.out.startswith("generation 1, fresh, ")
    assert call("refresh").out.startswith("generation 1, fresh, ")
    assert sandbox.report().token_calls == 1


def test_rejected_refresh_prints_reason(call, sandbox):
    sandbox.change_secret("another")
    result = call("refresh")
    assert (result.code, result.out) == (1, "")
    assert "authentication_failed" in result.err


def test_ticket_from_another_source_is_not_refreshed(call, sandbox):
    result = call("refresh", KYCOURIER_TICKET="env:TICKET", TICKET="ticket")
    assert (result.code, result.err) == (0, "")
    assert "nothing to refresh" in result.out
    assert sandbox.report().token_calls == 0


def test_collect_prints_state_of_each_order(call, events, monkeypatch):
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)  # the crops never come
    result = call("collect", "A1", "codem9011x", "lostcropsx")
    assert (result.code, result.err) == (0, "")
    found = rows(result)
    masked = {event["subject"]: event["data"].get("card") for event in events()}
    assert found["A1"] == ["collected", "-", masked["A1"]["number_masked"], "3"]
    assert found["codem9011x"][0] == "rejected"
    assert found["codem9011x"][2:] == ["-", "-"]
    assert found["lostcropsx"][3:] == ["1", "(2", "missing)"]
    assert "*" in found["A1"][2]


def test_collect_leaves_collected_order_unchanged(call, sandbox, events):
    first = call("collect", "A1")
    assert call("collect", "A1", "A1") == first
    assert len(events()) == 1
    assert sandbox.report().queries_per_order["A1"] == 1


def test_order_numbers_are_read_from_a_file_or_standard_input(
    call, tmp_path, monkeypatch
):
    (tmp_path / "orders.txt").write_text("A1\n\n A2 \r\nA1\n")
    result = call("collect", "A3", "--from", "orders.txt")
    assert result.code == 0
    assert list(rows(result)) == ["A3", "A1", "A2"]
    monkeypatch.setattr("sys.stdin", StringIO("A1\nA-1\n"))
    result = call("collect", "--from", "-")
    assert (result.code, result.out) == (2, "")
    assert "ORDER: 'A-1' is not an order number" in result.err


def test_concurrent_queries_are_limited_by_setting(call, sandbox):
    orders = [f"A{number}" for number in range(12)]
    assert call("collect", *orders, KYCOURIER_MAX_IN_FLIGHT="3").code == 0
    assert sandbox.report().max_concurrent_queries <= 3


@pytest.mark.parametrize("arguments", [["refresh"], ["collect", "A1"], ["doctor"]])
def test_hint_is_printed_if_no_sandbox_is_running(kycourier, monkeypatch, arguments):
    monkeypatch.setattr(container, "SANDBOX_URL", CLOSED)
    result = kycourier(*arguments, KYCOURIER_KYC_URL=CLOSED)
    assert result.code == 1
    if arguments[0] == "collect":
        assert rows(result)["A1"][:2] == ["waiting", "transient"]
    assert "is `kycourier sandbox` or `serve` running?" in result.out + result.err


def test_error_of_one_order_does_not_affect_others():
    def work(number):
        if number == "bad":
            raise ZeroDivisionError
        return number

    outcomes = dict(run_concurrently(work, ["A1", "bad", "A2"], 2))
    assert (outcomes["A1"], outcomes["A2"]) == ("A1", "A2")
    assert str(outcomes["bad"]) == "internal_error: ZeroDivisionError"


def test_show_prints_state_and_result_as_text_or_json(call, events):
    call("collect", "A1", "codem9011x")
    result = call("show", "A1")
    assert (result.code, result.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in result.out.splitlines())
    [event] = [event for event in events() if event["subject"] == "A1"]
    assert (lines["state"], lines["event"]) == ("collected", event["id"])
    assert lines["card"] == event["data"]["card"]["number_masked"]
    assert lines["manifest"] == event["data"]["manifest"]["uri"]
    assert "reason      ocr_failed\n" in call("show", "codem9011x").out
    members = json.loads(call("show", "A1", "--json").out)
    assert (members["order_no"], members["state"]) == ("A1", "collected")


def test_resume_makes_parked_order_due(call, sandbox, events):
    sandbox.set_order("A1", "code66660013")
    assert rows(call("collect", "A1"))["A1"][0] == "parked"
    sandbox.set_order("A1", "good")
    assert call("resume", "A1") == (0, "A1: due now\n", "")
    assert rows(call("collect", "A1"))["A1"][0] == "collected"
    types = [event["type"].split(".")[2] for event in events()]
    assert types == ["parked", "collected"]


def test_resume_does_not_change_other_orders(call):
    call("collect", "A1", "notready60x")
    before = call("show", "notready60x")
    result = call("resume", "A1", "A2", "notready60x")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "A1: not parked but collected\n"
        "A2: not parked but unknown\n"
        "notready60x: not parked but waiting\n"
    )
    assert call("show", "notready60x") == before


def test_resume_closes_circuit_breaker(call, sandbox):
    assert call("resume").out == "SANDBOX1: the circuit breaker was not open\n"
    sandbox.set_fault("query", "appexpired")
    call("collect", "A1")
    assert rows(call("collect", "A2"))["A2"][:2] == ["waiting", "throttled"]
    assert call("resume").out == "SANDBOX1: the circuit breaker is closed now\n"
    assert rows(call("collect", "A2"))["A2"][0] == "collected"


def test_commands_print_no_log_lines_or_secrets(call, sandbox):
    results = [
        call("refresh"),
        call("collect", "A1", "late1x", "code400101x"),
        call("show", "A1", "--json"),
        call("doctor"),
    ]
    text = "".join(result.out + result.err for result in results)
    assert '"level"' not in text
    assert not [canary for canary in sandbox.canaries() if canary in text]


def test_corrupt_record_prints_one_line(call, tmp_path):
    call("collect", "A1")
    state = open_stores(tmp_path / ".kycourier/state.db")
    state.write(lambda rows: rows.execute("UPDATE orders SET record = 'x'"))
    result = call("show", "A1")
    assert result == (1, "", "kycourier: store_unavailable: order record unreadable\n")

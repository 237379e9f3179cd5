"""The commands for tickets and orders, against the sandbox."""

import json
import re
from io import StringIO

import pytest

from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.schema import open_stores
from kycourier.adapters.system import SystemClock
from kycourier.core.causes import Cause
from kycourier_devkit.orders import cause_hints
from kycourier_devkit.orders.cause_hints import HINTS
from kycourier_devkit.orders.collect import run_concurrently
from kycourier_devkit.sandbox import Sandbox
from support.sample_records import claim

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
    head, *lines, _ = result.out.splitlines()
    assert head.split() == ["ORDER", "STATE", "WHY", "NEXT", "RESULT", "PHOTOS"]
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
    assert result.err.startswith("No new pair was obtained: refresh_refused 400105.")
    assert "\nrefresh_refused: check KYCOURIER_APP_ID, the secret" in result.err


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
    assert found["A1"] == ["collected", "-", "-", masked["A1"]["number_masked"], "3"]
    assert found["codem9011x"] == ["rejected", "ocr_failed", "-", "-", "-"]
    assert found["lostcropsx"][4:] == ["1", "(2", "missing)"]
    assert "*" in found["A1"][3]
    assert result.out.endswith("\n3 orders: 2 collected, 1 rejected.\n")


def test_collect_leaves_collected_order_unchanged(call, sandbox, events):
    first = call("collect", "A1")
    assert call("collect", "A1", "A1") == first
    assert len(events()) == 1
    assert sandbox.report().queries_per_order["A1"] == 1


def test_failing_order_shows_cause_next_attempt_and_hint(call):
    result = call("collect", "A1", "http503x", "html1", "html2")
    assert result.code == 1
    found = rows(result)
    assert found["http503x"][:3] == ["waiting", "http_status", "503"]
    assert found["html1"][:2] == ["waiting", "reply_not_json"]
    assert re.fullmatch(r"\d\d:\d\d:\d\d", found["html1"][2])
    hints = [line.partition(":")[0] for line in result.err.splitlines()]
    assert sorted(hints) == ["http_status", "reply_not_json"]
    assert result.out.endswith("\n4 orders: 1 collected, 3 waiting.\n")


def test_collect_prints_objects_and_leaves_out_what_was_collected(call):
    result = call("collect", "A1", "http503x", "--json")
    orders = {
        each["order_no"]: each for each in map(json.loads, result.out.splitlines())
    }
    assert (result.code, list(orders)) == (1, ["A1", "http503x"])
    last = orders["http503x"]["last_problem"]
    assert (last["cause"], last["http_status"]) == ("http_status", 503)
    assert orders["A1"]["last_problem"] is None
    only = call("collect", "A1", "codem9011x", "--only-failed")
    assert list(rows(only)) == ["codem9011x"]
    assert only.out.endswith("\n2 orders: 1 collected, 1 rejected.\n")


def test_interrupted_collect_says_what_was_done(call, monkeypatch):
    def interrupt(work, numbers, _):
        yield numbers[0], work(numbers[0])
        raise KeyboardInterrupt

    monkeypatch.setattr("kycourier_devkit.orders.collect.run_concurrently", interrupt)
    result = call("collect", "A1", "A2", "A3")
    assert result.code == 130
    assert list(rows(result)) == ["A1"]
    summary = "3 orders: 1 collected, 2 not begun or interrupted.\n"
    assert result.out.endswith(f"\n{summary}")


def test_order_held_by_another_run_says_by_whom_and_until_when(call, tmp_path):
    call("collect", "notready60x")
    orders = SqliteOrderStore(tmp_path / ".kycourier/state.db", SystemClock())
    held = claim(orders, "notready60x", owner="0123456789abcdef").record
    found = rows(call("collect", "notready60x"))["notready60x"]
    until = held.lease_ends_at
    assert found[:5] == ["collecting", "held", "by", "01234567", f"{until:%H:%M:%S}"]
    shown = call("show", "notready60x").out
    assert re.search("(?m)^held by +0123456789abcdef$", shown)
    assert re.search(f"(?m)^held until +{until:%Y-%m-%d %H:%M:%S} UTC$", shown)


def test_bad_line_of_a_file_is_named_and_the_others_are_collected(
    call, tmp_path, monkeypatch
):
    (tmp_path / "orders.csv").write_text("\ufefforder_no,note\nA1,x\nsecret-1,y\nA2,\n")
    result = call("collect", "A3", "--from", "orders.csv")
    assert (result.code, list(rows(result))) == (1, ["A3", "A1", "A2"])
    assert result.err.startswith("--from: line 3 is not an order number: ")
    assert "secret" not in result.out + result.err
    monkeypatch.setattr("sys.stdin", StringIO("A1\n"))
    assert call("collect", "--from", "-").code == 0


def test_concurrent_queries_are_limited_by_setting(call, sandbox):
    orders = [f"A{number}" for number in range(12)]
    assert call("collect", *orders, KYCOURIER_MAX_IN_FLIGHT="3").code == 0
    assert sandbox.report().max_concurrent_queries <= 3


@pytest.mark.parametrize("arguments", [["refresh"], ["collect", "A1"], ["doctor"]])
def test_hint_is_printed_if_no_sandbox_is_running(kycourier, monkeypatch, arguments):
    monkeypatch.setattr(cause_hints, "SANDBOX_URL", CLOSED)
    result = kycourier(*arguments, KYCOURIER_KYC_URL=CLOSED)
    assert result.code == 1
    if arguments[0] == "collect":
        assert rows(result)["A1"][:2] == ["waiting", "connect_failed"]
    hint = "connect_failed: start `kycourier sandbox` or `kycourier serve`"
    assert hint in result.out + result.err


def test_error_of_one_order_does_not_affect_others():
    def work(number):
        if number == "bad":
            raise ZeroDivisionError
        return number

    outcomes = dict(run_concurrently(work, ["A1", "bad", "A2"], 2))
    assert (outcomes["A1"], outcomes["A2"]) == ("A1", "A2")
    assert str(outcomes["bad"]) == "internal_error: ZeroDivisionError"


def test_show_prints_state_and_result_as_text_or_json(call, events, tmp_path):
    call("collect", "A1", "codem9011x")
    result = call("show", "A1")
    assert (result.code, result.err) == (0, "")
    text, _, files = result.out.partition("original:\n")
    lines = dict(line.split(maxsplit=1) for line in text.splitlines())
    [event] = [event for event in events() if event["subject"] == "A1"]
    assert (lines["state"], lines["event"]) == ("collected", event["id"])
    masked = re.escape(event["data"]["card"]["number_masked"])
    assert re.search(f"(?m)^number masked +{masked}$", text)
    assert re.search("(?m)^luhn valid +yes$", text)
    assert event["data"]["card"]["number_fingerprint"] not in text
    shown = [line for line in files.splitlines() if not line.endswith(":")]
    paths = [each["uri"] for each in event["data"]["photos"]]
    paths.append(event["data"]["manifest"]["uri"])
    assert [f"file://{tmp_path}/{line}" for line in shown] == paths
    assert all((tmp_path / line).is_file() for line in shown)
    assert re.search("(?m)^reason +ocr_failed$", call("show", "codem9011x").out)
    members = json.loads(call("show", "A1", "--json").out)
    assert (members["order_no"], members["state"]) == ("A1", "collected")


def test_show_prints_attempts_last_problem_and_next_attempt(call):
    for _ in range(2):
        call("collect", "http503x")
    result = call("show", "http503x")
    lines = dict(line.split(maxsplit=1) for line in result.out.splitlines()[:6])
    assert (lines["state"], lines["attempts"]) == ("waiting", "2")
    again = r"(?m)^last problem +http_status 503, 2 times in a row\n +\d{4}-.* UTC$"
    assert re.search(again, result.out)
    assert re.search(r"(?m)^next attempt +\d{4}-\d\d-\d\d [0-9:]+ UTC$", result.out)
    assert (result.code, result.err) == (
        0,
        f"http_status: {HINTS[Cause.HTTP_STATUS]}\n",
    )


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
    assert rows(call("collect", "A2"))["A2"][:2] == ["waiting", "app_stopped"]
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

"""The command trigger makes a scenario happen in the sandbox at once."""

import json
import re
import signal

import pytest

from kycourier.adapters.system import SystemClock
from kycourier.core.orders.record import OrderState
from kycourier_devkit.events.scenarios import SCENARIOS

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
ENDS = {
    "collected": "collected",
    "rejected": "rejected",
    "expired": "expired",
    "parked": "parked",
    "late-photos": "collected",
    "missing-photos": "collected",
    "not-ready": "collected",
    "throttled": "collected",
    "server-error": "collected",
    "unreadable": "collected",
}
WAITS = {
    "not-ready": "waiting, not_ready",
    "throttled": "waiting, http_status 429",
    "server-error": "waiting, http_status 503",
    "unreadable": "waiting, reply_not_json",
}
CLOSED = "http://127.0.0.1:9"


def test_scenarios_are_listed(kycourier):
    result = kycourier("trigger")
    assert (result.code, result.err) == (0, "")
    listed = dict(line.split(maxsplit=1) for line in result.out.splitlines())
    assert listed == {name: each.help for name, each in SCENARIOS.items()}
    assert set(listed) == set(ENDS)


@pytest.mark.parametrize("name", ENDS)
def test_scenario_ends_as_asked_and_shows_its_waits_and_its_event(
    call, published, sandbox, monkeypatch, name
):
    if name == "missing-photos":  # waiting changes nothing: they never come
        monkeypatch.setattr(SystemClock, "sleep", lambda *_: None)
    result = call("trigger", name)
    assert (result.code, result.err) == (0, "")
    *lines, body = re.split("(?m)^(?={)|(?<=[a-z0-9])\n(?={)", result.out)
    event = json.loads(body)
    assert [event] == [json.loads(line) for line in published()]
    assert event["type"] == f"kycourier.bank_card.{ENDS[name]}.v1"
    number = event["subject"]
    waits = [WAITS[name]] if name in WAITS else []
    shown = [line.partition(", next ")[0] for line in "".join(lines).splitlines()]
    # An order that was throttled may wait again until the pause of all has ended.
    assert list(dict.fromkeys(shown)) == [
        f"{number}: {text}" for text in (*waits, ENDS[name])
    ]
    missing = ["cropped", "number"] if name == "missing-photos" else []
    assert event["data"].get("photos_missing", []) == missing
    assert json.loads(call("show", number, "--json").out)["state"] == ENDS[name]
    assert not [each for each in sandbox.canaries() if each in result.out]


@pytest.mark.parametrize("document", ["id_card", "face"])
@pytest.mark.parametrize("name", ["collected", "rejected", "expired", "parked"])
def test_scenario_ends_as_asked_for_every_document(call, published, document, name):
    result = call("trigger", name, "--document", document, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == published()
    event = json.loads(result.out)
    assert event["type"] == f"kycourier.{document}.{name}.v1"


def test_scenario_that_cannot_happen_to_a_document_is_refused(call):
    result = call("trigger", "missing-photos", "--document", "face")
    assert result == (
        2, "", "kycourier: SCENARIO: missing-photos cannot happen to face\n"
    )  # fmt: skip


def test_event_is_printed_as_it_is_published(call, published):
    result = call("trigger", "collected", "--json")
    assert (result.code, result.out.splitlines()) == (0, published())


def test_trigger_works_beside_serve(kycourier, start):
    running = start("serve", "--port", "0", "--sweep-seconds", "0.5")
    url = running.wait_for(r"The KYC sandbox is at (\S+) ")
    running.wait_for("Press Ctrl-C")
    for name in ("collected", "expired"):
        result = kycourier("trigger", name, "--json", KYCOURIER_KYC_URL=url)
        assert (result.code, result.err) == (0, "")
        assert f".{ENDS[name]}.v1" in result.out
    assert running.end(signal.SIGINT).code == 130


def test_order_that_ends_otherwise_is_a_failure(call, monkeypatch):
    other = SCENARIOS["collected"].__class__("", "good", OrderState.PARKED)
    monkeypatch.setitem(SCENARIOS, "collected", other)
    result = call("trigger", "collected")
    assert (result.code, result.err) == (1, "The order ended otherwise: -.\n")


@pytest.mark.parametrize(
    ("environ", "code", "message"),
    [
        ({"KYCOURIER_KYC_URL": CLOSED}, 1, f"No sandbox runs at {CLOSED}: start `ky"),
        ({"KYCOURIER_KYC_URL": "https://kyc1.qcloud.com"}, 2, "KYCOURIER_APP_ID"),
        (
            {
                "KYCOURIER_APP_ID": "TIDA0001",
                "KYCOURIER_APP_SECRET": "env:S",
                "S": "s" * 64,
                "KYCOURIER_KYC_URL": CLOSED,
            },
            1,
            "trigger works with the sandbox only: ",
        ),
    ],
    ids=["not running", "real platform", "another app"],
)
def test_nothing_is_triggered_without_the_sandbox(kycourier, environ, code, message):
    result = kycourier("trigger", "collected", **environ)
    assert (result.code, result.out, result.err.count("\n")) == (code, "", 1)
    assert message in result.err


def test_other_server_at_the_address_is_no_sandbox(kycourier, receiver):
    url = receiver.url.partition("/hook")[0]
    result = kycourier("trigger", "collected", KYCOURIER_KYC_URL=url)
    assert (result.code, receiver.requests) == (1, [])
    assert result.err.startswith(f"kycourier: No sandbox runs at {url}: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trigger", "x"], "SCENARIO: must be one of collected, "),
        (["--stack", "S", "trigger", "collected"], "leave out --stack"),
    ],
)
def test_wrong_argument_is_named(kycourier, arguments, message):
    result = kycourier(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1

"""The commands events list, events show and events tail, against the sandbox."""

import json
import signal
from contextlib import closing

import pytest

from kycourier.adapters.local.events import FileEventSink
from kycourier.core.errors import SinkUnavailableError
from support.failing_ports import raising
from support.servers.hostile_server import HostileServer, http_response, respond_once

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


@pytest.fixture
def collected(call, sandbox):
    """Collect some orders; one of them was parked first, and reopened."""
    sandbox.set_order("A2", "code66660013")
    for order in ("A1", "A2", "codem9012x1"):
        call("collect", order)
    sandbox.set_order("A2", "good")
    call("resume", "A2")
    call("collect", "A2")


def rows(result):
    head, *lines = result.out.splitlines()
    assert head.split() == ["TIME", "TYPE", "ORDER", "SENT", "EVENT"]
    return [tuple(line.split()[2:]) for line in lines]


@pytest.mark.usefixtures("collected")
def test_list_shows_the_newest_events_first(call, published):
    result = call("events", "list")
    assert (result.code, result.err) == (0, "")
    events = [json.loads(line) for line in published()][::-1]
    assert rows(result) == [
        (
            f"bank_card.{event['type'].split('.')[2]}",
            event["subject"],
            "yes",
            event["id"],
        )
        for event in events
    ]
    assert [row[0] for row in rows(result)] == [
        "bank_card.collected", "bank_card.rejected", "bank_card.parked",
        "bank_card.collected",
    ]  # fmt: skip


def test_list_says_that_an_event_was_given_up(call):
    gone = respond_once(http_response(b"", status="410 Gone"))
    with closing(HostileServer(gone)) as receiver:
        secret = {"KYCOURIER_WEBHOOK_SECRET": "env:HOOK", "HOOK": "whsec_" + "A" * 32}
        call("collect", "A1", KYCOURIER_EVENTS=f"{receiver.url}/hook", **secret)
    [(_, order, sent, _)] = rows(call("events", "list"))
    assert (order, sent) == ("A1", "failed")


@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--limit", "2"], [3, 2]),
        (["--type", "collected"], [3, 0]),
        (["--type", "kycourier.bank_card.parked.v1"], [1]),
        (["--order", "A2"], [3, 1]),
        (["--order", "A2", "--limit", "1"], [3]),
        (["--order", "A2", "--type", "parked"], [1]),
        (["--order", "A9"], []),
        (["--since", "1h"], [3, 2, 1, 0]),
        (["--since", "1h", "--until", "now"], [3, 2, 1, 0]),
        (["--until", "1h"], []),
    ],
)
def test_list_selects_and_prints_events_as_published(
    call, published, options, expected
):
    result = call("events", "list", "--json", *options)
    lines = published()
    assert (result.code, result.err) == (0, "")
    assert result.out.splitlines() == [lines[each] for each in expected]


def test_list_says_that_there_is_none(call):
    assert call("events", "list") == (0, "No event.\n", "")
    assert call("events", "list", "--json") == (0, "", "")


def test_unsent_event_is_listed_as_such_until_it_is_resent(
    call, published, monkeypatch
):
    with monkeypatch.context() as full:
        full.setattr(FileEventSink, "publish", raising(SinkUnavailableError))
        call("collect", "A1")
    assert (rows(call("events", "list"))[0][2], published()) == ("no", [])
    assert call("resend", "A1").code == 0
    assert (rows(call("events", "list"))[0][2], len(published())) == ("yes", 1)


@pytest.mark.usefixtures("collected")
def test_show_prints_the_newest_event_of_an_order_or_the_one_of_an_id(call, published):
    lines = published()
    for name, index in [("A2", 3), (json.loads(lines[1])["id"], 1)]:
        shown = call("events", "show", name)
        assert (shown.code, shown.err) == (0, "")
        assert json.loads(shown.out) == json.loads(lines[index])
        assert shown.out.startswith('{\n  "specversion": "1.0",\n')
        assert call("events", "show", name, "--json").out == f"{lines[index]}\n"
        assert call("events", "show", name, "--raw").out == lines[index]


@pytest.mark.usefixtures("collected")
def test_show_fails_for_an_unknown_name(call):
    result = call("events", "show", "A9")
    assert (result.code, result.out) == (1, "")
    assert result.err == (
        "No event found for A9: it must be an order that has ended, or the id of an"
        " event of the newest 10000 orders.\n"
    )


@pytest.mark.usefixtures("collected")
def test_tail_prints_the_last_events_in_order(call, published):
    assert (
        call("events", "tail", "-n", "2", "--json").out.splitlines() == published()[2:]
    )
    plain = call("events", "tail", "--type", "parked")
    assert (plain.code, plain.out.count("\n")) == (0, 1)
    assert plain.out.endswith("  bank_card.parked     A2\n")


@pytest.mark.usefixtures("collected")
def test_tail_follows_whichever_process_collects(call, start, environ, published):
    running = start("events", "tail", "-f", "-n", "1", "--json", **environ)
    running.wait_for(json.loads(published()[3])["id"])
    call("collect", "B1", "code66660013x2")
    running.wait_for('"subject":"code66660013x2"')
    running.wait_for('"subject":"B1"')
    call("resume", "code66660013x2")  # it is parked again: no second event
    call("collect", "code66660013x2", "B2")
    running.wait_for('"subject":"B2"')
    result = running.end(signal.SIGINT)
    assert (result.code, result.err) == (130, "kycourier: stopped\n")
    assert sorted(result.out.splitlines()) == sorted(published()[3:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list", "--since", "x"], "--since: must be an age"),
        (["list", "--until", "2026-01-31T08:00:00"], "--until: must be an age"),
        (["list", "--type", "done"], "--type: must be collected, "),
        (["list", "--order", "A-1"], "--order: 'A-1' is not an order number"),
        (["list", "--limit", "0"], "'--limit'"),
        (["show"], "Missing argument 'EVENT'"),
        (["show", "A-1"], "EVENT: must be an event's id, or an order number"),
        (["show", "A1", "--json", "--raw"], "use --json or --raw, not both"),
        (["tail", "-n", "-1"], "'-n'"),
    ],
)
def test_wrong_argument_is_named(kycourier, arguments, message):
    result = kycourier("events", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


@pytest.mark.usefixtures("collected")
def test_no_secret_value_is_printed(call, sandbox):
    texts = [
        call("events", "list").out,
        call("events", "tail", "--json").out,
        call("events", "show", "A2").out,
    ]
    assert not [each for each in sandbox.canaries() if each in "".join(texts)]

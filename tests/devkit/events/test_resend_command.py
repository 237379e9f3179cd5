"""The command resend: same ids and bytes, to the sink or to another receiver."""

import json
import shlex
from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from kycourier.adapters.local.events import FileEventSink
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.system import SystemClock
from kycourier.core.errors import SinkUnavailableError
from kycourier_devkit.cli.terminal import Terminal
from support.sample_records import EVENT, draft, settled

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
SECRET = "whsec_" + "c2VjcmV0" * 4
HERE = " to .kycourier/events.jsonl"


@pytest.fixture
def stored(call, tmp_path):
    """Write orders with an event each, made a second apart; return their ids."""

    def write(count, *, sent=True, before=timedelta(hours=1)):
        call("events", "list")  # makes the folder
        orders = SqliteOrderStore(tmp_path / ".kycourier/state.db", SystemClock())
        start = datetime.now(timezone.utc) - before  # noqa: TID251 - the store's clock
        ids = [f"id{number:04}" for number in range(count)]
        for number, each in enumerate(ids):
            at = start + timedelta(seconds=number)
            body = json.dumps({"id": each, "subject": f"S{number}"})
            event = replace(EVENT, id=each, body=body, created_at=at, sent=sent)
            row = replace(
                settled(draft(f"S{number}"), event=event),
                registered_at=at,
                due_at=None,
            )
            orders.register(row)
        return ids

    return write


def ids_of(lines):
    return [json.loads(line)["id"] for line in lines]


@pytest.fixture
def fail_on(monkeypatch):
    """Have the event file refuse some calls, by their numbers."""
    accept, calls = FileEventSink.publish, []

    def refuse(numbers, error):
        def publish(sink, events):
            calls.append(events)
            if len(calls) in numbers:
                raise error
            accept(sink, events)

        monkeypatch.setattr(FileEventSink, "publish", publish)

    return refuse


def test_orders_are_resent_with_same_bytes(call, sandbox, published):
    sandbox.set_order("A2", "code66660013")
    call("collect", "A1", "A2")
    sandbox.set_order("A2", "good")
    call("resume", "A2")
    call("collect", "A2")
    before = published()
    result = call("resend", "A2", "A1", "A2")
    assert (result.code, result.out, result.err) == (
        0,
        f"3 events: 3 delivered{HERE}.\n",
        "",
    )
    assert sorted(published()[3:]) == sorted(before)
    assert published()[-1] == before[-1]  # an order's events keep their order
    assert (
        call("resend", "A2", "--type", "parked").out == f"1 event: 1 delivered{HERE}.\n"
    )
    assert json.loads(published()[-1])["type"] == "kycourier.bank_card.parked.v1"


def test_order_without_such_an_event_is_named_and_the_others_are_resent(
    call, published
):
    call("collect", "A1", "notready60x1")
    result = call("resend", "A9", "notready60x1", "A1", "--json")
    assert result.code == 1
    assert result.err == "A9: no such order\nnotready60x1: has no such event\n"
    event = json.loads(published()[0])
    assert json.loads(result.out) == {
        "event_id": event["id"],
        "type": event["type"],
        "order_no": "A1",
        "delivered": True,
        "problem": None,
    }


def test_events_of_a_time_are_resent_the_oldest_first(call, stored, published):
    ids = stored(100)
    assert call("resend", "--since", "2h").out == f"100 events: 100 delivered{HERE}.\n"
    assert ids_of(published()) == ids
    assert call("resend", "--since", "2h", "--until", "61m").out == (
        "0 events: 0 delivered.\n"
    )


def test_more_than_a_hundred_need_a_confirmation(call, stored, published, monkeypatch):
    stored(201)
    refused = call("resend", "--since", "1d")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "kycourier: 201 events: use --yes where no one can be asked\n"
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(Terminal, "is_terminal", True)
    for answer, code, count in [(False, 1, 0), (True, 0, 201)]:
        monkeypatch.setattr("typer.confirm", lambda _, answer=answer: answer)
        assert call("resend", "--since", "1d").code == code
        assert len(published()) == count
    monkeypatch.setattr(Terminal, "is_terminal", False)
    assert call("resend", "--since", "1d", "--yes").code == 0
    assert len(published()) == 402


def test_interrupted_run_prints_the_command_that_goes_on(
    call, stored, published, fail_on
):
    ids = stored(30)
    fail_on({4}, KeyboardInterrupt)
    result = call("resend", "--since", "2h")
    assert (result.code, result.out) == (
        130,
        f"30 events: 3 delivered{HERE}, 27 not sent.\n",
    )
    line, stopped = result.err.splitlines()
    assert stopped == "kycourier: stopped"
    command = shlex.split(line.removeprefix("To go on: "))
    assert command[:3] == ["kycourier", "resend", "--since"]
    assert call(*command[1:]).out == f"27 events: 27 delivered{HERE}.\n"
    assert ids_of(published()) == ids


def test_few_remaining_orders_are_named(call, stored, fail_on):
    stored(4)
    fail_on({2, 4}, SinkUnavailableError(word="http_500"))
    result = call("resend", "--since", "2h", "--type", "collected")
    assert (result.code, result.out) == (1, f"4 events: 2 delivered{HERE}, 2 failed.\n")
    first, second, command = result.err.splitlines()
    assert first.endswith("  bank_card.collected  S1  http_500")
    assert second.endswith("  bank_card.collected  S3  http_500")
    assert command == "To go on: kycourier resend S1 S3 --type collected"


def test_sink_that_fails_five_times_in_a_row_ends_the_run(call, stored, fail_on):
    stored(30, sent=False)
    fail_on(range(1, 99), SinkUnavailableError("the disk is full"))
    result = call("resend", "--since", "2h", "--yes")
    assert (result.code, result.out) == (
        1,
        f"30 events: 0 delivered{HERE}, 5 failed, 25 not sent.\n",
    )
    assert result.err.count("  sink_unavailable\n") == 5
    assert result.err.splitlines()[-2] == "Stopped: 5 failures in a row"
    assert result.err.splitlines()[-1].endswith(" --yes")


def test_another_receiver_gets_the_events_and_no_row_is_marked(
    call, stored, published, receiver
):
    ids = stored(3, sent=False)
    signed = {"KYCOURIER_WEBHOOK_SECRET": "env:HOOK", "HOOK": SECRET}
    result = call("resend", "--since", "2h", "--to", receiver.url, **signed)
    assert (result.code, result.out) == (0, "3 events: 3 delivered.\n")
    assert receiver.ids() == ids
    assert all("webhook-signature" in headers for _, headers, _ in receiver.requests)
    assert published() == []
    assert call("events", "list").out.count("  no ") == 3
    assert call("resend", "S0", "--to", receiver.url).code == 0
    assert "webhook-signature" not in receiver.requests[-1][1]


def test_receiver_that_fails_is_named_by_its_word(call, stored, receiver):
    stored(1)
    receiver.status = 302
    result = call("resend", "S0", "--to", receiver.url)
    assert result.err.splitlines()[0].endswith("  http_302")
    again = f"kycourier resend S0 --to '{receiver.url}'"
    assert result.err.splitlines()[1] == f"To go on: {again}"
    receiver.stop()
    assert "  connect_failed\n" in call("resend", "S0", "--to", receiver.url).err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name an order as ORDER, or a time with --since"),
        (["--until", "1d"], "name an order as ORDER, or a time with --since"),
        (["A1", "--since", "1d"], "with --since, not both"),
        (["A-1"], "ORDER: 'A-1' is not an order number"),
        (["--since", "x"], "--since: must be an age"),
        (["A1", "--type", "x"], "--type: must be collected"),
        (["A1", "--to", "x"], "--to: must be https://host"),
        (
            ["A1", "--to", "http://receiver.example/"],
            "--to: must be https except on loopback",
        ),
        (["A1", "--to", "https://a:b@receiver.example/"], "--to: must be https://host"),
    ],
)
def test_wrong_argument_is_named(kycourier, arguments, message):
    result = kycourier("resend", *arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("environ", "why"),
    [
        ({"KYCOURIER_WEBHOOK_SECRET": "whsec_x"}, "must be "),
        ({"KYCOURIER_WEBHOOK_SECRET": "env:HOOK", "HOOK": "x"}, "must be one or two"),
    ],
)
def test_wrong_secret_is_named_without_its_value(kycourier, environ, why):
    result = kycourier("resend", "A1", "--to", "http://127.0.0.1:9/", **environ)
    assert result.code == 2
    assert result.err.startswith(f"kycourier: KYCOURIER_WEBHOOK_SECRET: {why}")

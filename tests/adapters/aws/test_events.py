"""Sinks on EventBridge and SQS: failed entries, sizes and attributes."""

import json

import pytest

from kycourier.core.errors import SinkUnavailableError
from kycourier.core.orders.record import OutboxEvent
from kycourier.ports import EventSink
from support.aws.aws_proxy import (
    AwsProxy,
    Script,
    json_response,
    perform_then_respond,
    respond_error,
    respond_json,
)
from support.aws.services import new_bus, new_queue, open_sink, read_queue
from support.servers.emulators import EMULATOR_MARKS

pytestmark = [*EMULATOR_MARKS]
KIND = "kycourier.bank_card.collected.v1"
SOURCE = "/kycourier/SANDBOX1"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CALLS = {"eventbridge": "PutEvents", "sqs": "SendMessageBatch"}
DENIED = {
    "eventbridge": "denied events:PutEvents on a bus",
    "sqs": "denied sqs:SendMessage on a queue",
}


def event(number: int, text: str = "", parent: str | None = None) -> OutboxEvent:
    name = f"e{number}"
    body = json.dumps({"id": name, "text": text}, ensure_ascii=False)
    return OutboxEvent(id=name, type=KIND, body=body, source=SOURCE, traceparent=parent)


def events(count: int, text: str = "") -> list[OutboxEvent]:
    return [event(number, text) for number in range(count)]


def sent(proxy: AwsProxy, scheme: str) -> list[list[str]]:
    """Return the event ids of each call."""
    bodies = {"eventbridge": "Detail", "sqs": "MessageBody"}
    return [
        [json.loads(entry[bodies[scheme]])["id"] for entry in entries]
        for body in proxy.requests_to(CALLS[scheme])
        for entries in [body["Entries"]]
    ]


def fail_entries(*failed: int) -> Script:
    """Forward all entries but some; respond 200 with those as failed."""

    def script(call, forward):
        entries = call.json["Entries"]
        rest = [entry for at, entry in enumerate(entries) if at not in failed]
        members = forward(call.with_json(Entries=rest)).json
        if call.name == "PutEvents":
            good = iter(members["Entries"])
            bad = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slower"}
            members["Entries"] = [
                bad if at in failed else next(good) for at in range(len(entries))
            ]
            members["FailedEntryCount"] = len(failed)
        else:
            members["Failed"] = [
                {"Id": entries[at]["Id"], "Code": "InternalError", "SenderFault": False}
                for at in failed
            ]
        return json_response(members)

    return script


@pytest.fixture(params=CALLS)
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def sink(proxy: AwsProxy, scheme: str) -> EventSink:
    """Return a sink on a new bus or queue."""
    create = new_bus if scheme == "eventbridge" else new_queue
    return open_sink(proxy.url, scheme, create(proxy.url))


# entries


def test_failed_entry_is_resent_alone(proxy, scheme, sink):
    proxy.plan(CALLS[scheme], fail_entries(1, 3))

    sink.publish(events(5))

    assert sent(proxy, scheme) == [["e0", "e1", "e2", "e3", "e4"], ["e1", "e3"]]


def test_entry_that_fails_twice_is_a_failure_and_stops_later_batches(
    proxy, scheme, sink
):
    proxy.plan(CALLS[scheme], fail_entries(0, 9), fail_entries(1))

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish(events(12))

    assert failure.value.reason == "an entry was refused"
    assert failure.value.__context__ is None
    assert sent(proxy, scheme) == [[f"e{at}" for at in range(10)], ["e0", "e9"]]


def test_response_without_entries_is_a_failure(proxy, scheme, sink):
    members = {"Entries": [], "FailedEntryCount": 0} if scheme == "eventbridge" else {}
    proxy.plan(CALLS[scheme], *[respond_json(**members)] * 2)

    with pytest.raises(SinkUnavailableError):
        sink.publish([event(1)])


@pytest.mark.parametrize(
    ("count", "text", "sizes"),
    [(23, "", [10, 10, 3]), (4, "x" * 80_000, [3, 1]), (4, "密" * 30_000, [2, 2])],
    ids=["ten entries", "256 KiB", "256 KiB of bytes, not characters"],
)
def test_batches_are_filled_up_to_their_limits_in_order(
    proxy, scheme, sink, count, text, sizes
):
    sink.publish(events(count, text))

    batches = sent(proxy, scheme)
    assert [len(ids) for ids in batches] == sizes
    assert [each for ids in batches for each in ids] == [
        f"e{at}" for at in range(count)
    ]


def test_oversized_event_is_rejected_before_any_call(proxy, scheme, sink):
    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event(1), event(2, "x" * 256 * 1024)])

    assert failure.value.reason == "too large"
    assert sent(proxy, scheme) == []


def test_denied_publish_names_the_permission_and_is_not_retried(proxy, scheme, sink):
    proxy.plan(CALLS[scheme], respond_error("AccessDeniedException"))

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event(1)])

    assert failure.value.reason == DENIED[scheme]
    assert failure.value.__context__ is None
    assert len(proxy.calls_to(CALLS[scheme])) == 1


def test_publish_with_a_lost_response_is_repeated(proxy, scheme, sink):
    """Delivery is at least once; consumers deduplicate by the event id."""
    proxy.plan(CALLS[scheme], perform_then_respond(503))

    sink.publish([event(1)])

    assert sent(proxy, scheme) == [["e1"], ["e1"]]


# what is sent


def test_bus_entry_holds_source_type_and_whole_event(proxy):
    bus, published = new_bus(proxy.url), event(1, parent=PARENT)

    open_sink(proxy.url, "eventbridge", bus).publish([published])

    (body,) = proxy.requests_to("PutEvents")
    assert body["Entries"] == [
        {
            "EventBusName": bus,
            "Source": "kycourier",
            "DetailType": KIND,
            "Detail": published.body,
        }
    ]


@pytest.mark.parametrize("parent", [None, PARENT])
def test_message_has_id_type_and_trace_attributes(moto, parent):
    queue, published = new_queue(moto), event(1, parent=parent)

    open_sink(moto, "sqs", queue).publish([published])

    (message,) = read_queue(moto, queue)
    attributes = message["MessageAttributes"]
    texts = {name: each["StringValue"] for name, each in attributes.items()}
    trace = {"traceparent": parent} if parent else {}
    assert message["Body"] == published.body
    assert texts == {"id": "e1", "type": KIND, **trace}


def test_fifo_queue_orders_and_deduplicates_events(moto):
    queue = new_queue(moto, suffix=".fifo")
    sink = open_sink(moto, "sqs", queue)

    sink.publish([event(3), event(1), event(2)])
    sink.publish([event(1)])

    messages = read_queue(moto, queue)
    assert [json.loads(each["Body"])["id"] for each in messages] == ["e3", "e1", "e2"]
    attributes = messages[0]["Attributes"]
    assert attributes["MessageGroupId"] == SOURCE
    assert attributes["MessageDeduplicationId"] == "e3"


def test_failed_fifo_entry_is_not_overtaken(proxy):
    sink = open_sink(proxy.url, "sqs", new_queue(proxy.url, suffix=".fifo"))
    proxy.plan("SendMessageBatch", fail_entries(0), fail_entries(0))

    with pytest.raises(SinkUnavailableError):
        sink.publish(events(2))

    assert sent(proxy, "sqs") == [["e0"], ["e0"]]

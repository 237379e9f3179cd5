"""Sinks on EventBridge and SQS: failed entries, sizes, attributes and start checks."""

import json

import pytest

from kycourier.adapters import registry
from kycourier.core.errors import SettingError, SinkUnavailableError
from kycourier.core.orders.record import OutboxEvent
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import (
    AwsProxy,
    Script,
    drop_call,
    json_response,
    perform_then_respond,
    respond_error,
    respond_json,
)
from support.aws.clients import aws_client, aws_context, new_name
from support.aws.services import new_bus, new_queue, open_sink, read_queue
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import closed_port

pytestmark = [*EMULATOR_MARKS]
KIND = "kycourier.ocr.collected.v1"
SOURCE = "/kycourier/SANDBOX1"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CALLS = {"eventbridge": "PutEvents", "sqs": "SendMessageBatch"}
ACTIONS = {"eventbridge": "events:PutEvents", "sqs": "sqs:SendMessage"}
KINDS = {"eventbridge": "bus", "sqs": "queue"}


def event(number: int, **more: str) -> OutboxEvent:
    members = {"id": f"e{number}", "source": SOURCE, "type": KIND, **more}
    return OutboxEvent(
        id=f"e{number}",
        type=KIND,
        body=json.dumps(members),
        source=SOURCE,
        traceparent=more.get("traceparent"),
    )


def new_target(url: str, scheme: str) -> str:
    return new_bus(url) if scheme == "eventbridge" else new_queue(url)


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


# entries


def test_failed_entry_is_resent_alone(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))
    proxy.plan(CALLS[scheme], fail_entries(1, 3))

    sink.publish([event(number) for number in range(5)])

    assert sent(proxy, scheme) == [["e0", "e1", "e2", "e3", "e4"], ["e1", "e3"]]


def test_entry_that_fails_twice_is_a_failure(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))
    proxy.plan(CALLS[scheme], fail_entries(0, 2), fail_entries(1))

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event(number) for number in range(3)])

    assert failure.value.reason == "an entry was refused"
    assert failure.value.__context__ is None
    assert sent(proxy, scheme) == [["e0", "e1", "e2"], ["e0", "e2"]]


def test_response_without_entries_is_a_failure(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))
    members = {"Entries": [], "FailedEntryCount": 0} if scheme == "eventbridge" else {}
    nothing = respond_json(**members)
    proxy.plan(CALLS[scheme], nothing, nothing)

    with pytest.raises(SinkUnavailableError):
        sink.publish([event(1)])


def test_batches_hold_ten_entries_in_order(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))

    sink.publish([event(number) for number in range(23)])

    ids = [f"e{number}" for number in range(23)]
    assert sent(proxy, scheme) == [ids[:10], ids[10:20], ids[20:]]


def test_failed_batch_stops_later_batches(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))
    proxy.plan(CALLS[scheme], fail_entries(9), fail_entries(0))

    with pytest.raises(SinkUnavailableError):
        sink.publish([event(number) for number in range(12)])

    assert [len(ids) for ids in sent(proxy, scheme)] == [10, 1]


def test_batches_stay_below_256_kib_in_bytes(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))
    bodies = [f'{{"id":"e{number}","text":"{"密" * 30_000}"}}' for number in range(4)]

    sink.publish([OutboxEvent(id="e", type=KIND, body=body) for body in bodies])

    assert sent(proxy, scheme) == [["e0", "e1"], ["e2", "e3"]]


def test_batch_is_filled_up_to_its_size(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))

    sink.publish([event(number, text="x" * 80_000) for number in range(4)])

    assert [len(ids) for ids in sent(proxy, scheme)] == [3, 1]


def test_oversized_event_is_rejected_before_any_call(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event(1), event(2, text="x" * 256 * 1024)])

    assert failure.value.reason == "too large"
    assert sent(proxy, scheme) == []


# what is sent


def test_bus_entry_holds_source_type_and_whole_event(proxy):
    bus = new_bus(proxy.url)
    published = event(1, traceparent=PARENT)

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


def test_rule_on_the_event_type_routes_to_a_queue(moto):
    bus, queue = new_bus(moto), new_queue(moto)
    events, sqs = aws_client("events", moto), aws_client("sqs", moto)
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    pattern = json.dumps({"source": ["kycourier"], "detail-type": [KIND]})
    events.put_rule(Name=queue, EventBusName=bus, EventPattern=pattern)
    target = {"Id": "queue", "Arn": arn["Attributes"]["QueueArn"]}
    events.put_targets(Rule=queue, EventBusName=bus, Targets=[target])
    other = OutboxEvent(id="e2", type="kycourier.ocr.parked.v1", body="{}")

    open_sink(moto, "eventbridge", bus).publish([event(1), other])

    (arrived,) = read_queue(moto, queue)
    assert json.loads(arrived["Body"])["detail"] == json.loads(event(1).body)


@pytest.mark.parametrize("parent", [None, PARENT])
def test_message_has_id_type_and_trace_attributes(moto, parent):
    queue = new_queue(moto)
    published = event(1, **({"traceparent": parent} if parent else {}))

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
    queue = new_queue(proxy.url, suffix=".fifo")
    sink = open_sink(proxy.url, "sqs", queue)
    proxy.plan("SendMessageBatch", fail_entries(0), fail_entries(0))

    with pytest.raises(SinkUnavailableError):
        sink.publish([event(1), event(2)])

    assert sent(proxy, "sqs") == [["e1"], ["e1"]]


# start checks and faults


def start(url: str, scheme: str, name: str) -> str:
    """Return why a sink cannot be opened, as the setting error states it."""
    with pytest.raises(SettingError) as failure:
        registry.open_events(ResourceUrl(scheme, name), aws_context(url))
    assert failure.value.variable == "KYCOURIER_EVENTS"
    assert failure.value.__context__ is None
    assert name not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


def test_missing_target_stops_the_start(moto, scheme):
    reason = start(moto, scheme, new_name("none"))

    assert reason == f"no such {KINDS[scheme]} in this region"


def test_target_of_another_region_stops_the_start(moto, scheme):
    name = new_target(moto, scheme)
    elsewhere = aws_context(moto, AWS_REGION="eu-central-1")

    with pytest.raises(SettingError) as failure:
        registry.open_events(ResourceUrl(scheme, name), elsewhere)

    assert failure.value.why.endswith(f"no such {KINDS[scheme]} in this region")


def refusing(symbol: str) -> Script:
    return respond_error(symbol, message=f"User arn:canary is refused {KIND}")


def test_denied_lookup_stops_the_start(proxy, scheme):
    name = new_target(proxy.url, scheme)
    looks = {"eventbridge": "DescribeEventBus", "sqs": "GetQueueUrl"}
    proxy.plan(looks[scheme], refusing("AccessDeniedException"))

    reason = start(proxy.url, scheme, name)

    service = "events" if scheme == "eventbridge" else "sqs"
    assert reason == f"denied {service}:{looks[scheme]} on a {KINDS[scheme]}"


def test_unreachable_endpoint_stops_the_start(scheme):
    reason = start(f"http://127.0.0.1:{closed_port()}", scheme, "name1")

    assert reason == "unreachable"


def test_denied_publish_names_the_permission_and_is_not_retried(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))
    proxy.plan(CALLS[scheme], refusing("AccessDeniedException"))

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event(1)])

    assert failure.value.reason == f"denied {ACTIONS[scheme]} on a {KINDS[scheme]}"
    assert failure.value.__context__ is None
    assert len(proxy.calls_to(CALLS[scheme])) == 1


def test_publish_with_a_lost_response_is_repeated(proxy, scheme):
    """Delivery is at least once; consumers deduplicate by the event id."""
    sink = open_sink(proxy.url, scheme, new_target(proxy.url, scheme))
    proxy.plan(CALLS[scheme], perform_then_respond(503))

    sink.publish([event(1)])

    assert sent(proxy, scheme) == [["e1"], ["e1"]]


@pytest.mark.parametrize(
    "script",
    [
        respond_error("ThrottlingException"),
        respond_error("InternalFailure", 500),
        drop_call,
    ],
)
def test_transient_fault_does_not_stop_the_start(proxy, moto, script):
    bus = new_bus(moto)
    proxy.plan("DescribeEventBus", *[script] * 3)

    sink = open_sink(proxy.url, "eventbridge", bus)

    sink.publish([event(1)])
    assert proxy.calls[-1].name == "PutEvents"

"""What only the sinks on AWS have: entries not taken, sizes, attributes, the start."""

import json

import pytest

from aws.access import client, new_name, surroundings
from aws.edges import new_bus, new_queue, open_sink, read_queue
from aws.proxy import (
    AwsProxy,
    Play,
    answer_json,
    answering_json,
    cut,
    done_then,
    failing,
)
from hostile import refusing_port
from kycourier.adapters import places
from kycourier.core.errors import SettingError, SinkUnavailable
from kycourier.core.order_record import OutboxEvent
from kycourier.setting_forms import Place
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
KIND = "kycourier.ocr.collected.v1"
SOURCE = "/kycourier/SANDBOX1"
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CALLS = {"eventbridge": "PutEvents", "sqs": "SendMessageBatch"}
ACTIONS = {"eventbridge": "events:PutEvents", "sqs": "sqs:SendMessage"}
KINDS = {"eventbridge": "bus", "sqs": "queue"}


def event(number: int, **more: str) -> OutboxEvent:
    members = {"id": f"e{number}", "source": SOURCE, "type": KIND, **more}
    return OutboxEvent(id=f"e{number}", type=KIND, body=json.dumps(members))


def new_place(url: str, scheme: str) -> str:
    return new_bus(url) if scheme == "eventbridge" else new_queue(url)


def sent(proxy: AwsProxy, scheme: str) -> list[list[str]]:
    """Give the ids of the events in each call."""
    bodies = {"eventbridge": "Detail", "sqs": "MessageBody"}
    return [
        [json.loads(entry[bodies[scheme]])["id"] for entry in entries]
        for asked in proxy.asked(CALLS[scheme])
        for entries in [asked["Entries"]]
    ]


def not_taking(*refused: int) -> Play:
    """Pass on all entries but some, and answer 200 with those as failed."""

    def play(call, forward):
        entries = call.json["Entries"]
        rest = [entry for at, entry in enumerate(entries) if at not in refused]
        told = forward(call.asking(Entries=rest)).json
        if call.name == "PutEvents":
            good = iter(told["Entries"])
            bad = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slower"}
            told["Entries"] = [
                bad if at in refused else next(good) for at in range(len(entries))
            ]
            told["FailedEntryCount"] = len(refused)
        else:
            told["Failed"] = [
                {"Id": entries[at]["Id"], "Code": "InternalError", "SenderFault": False}
                for at in refused
            ]
        return answer_json(told)

    return play


@pytest.fixture(params=CALLS)
def scheme(request: pytest.FixtureRequest) -> str:
    return request.param


# entries


def test_entry_that_was_not_taken_is_sent_again_alone(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))
    proxy.plan(CALLS[scheme], not_taking(1, 3))

    sink.publish([event(number) for number in range(5)])

    assert sent(proxy, scheme) == [["e0", "e1", "e2", "e3", "e4"], ["e1", "e3"]]


def test_entry_that_was_not_taken_twice_is_a_failure(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))
    proxy.plan(CALLS[scheme], not_taking(0, 2), not_taking(1))

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([event(number) for number in range(3)])

    assert failure.value.reason == "an entry was not taken"
    assert failure.value.__context__ is None
    assert sent(proxy, scheme) == [["e0", "e1", "e2"], ["e0", "e2"]]


def test_answer_that_names_no_entries_took_none(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))
    told = {"Entries": [], "FailedEntryCount": 0} if scheme == "eventbridge" else {}
    nothing = answering_json(**told)
    proxy.plan(CALLS[scheme], nothing, nothing)

    with pytest.raises(SinkUnavailable):
        sink.publish([event(1)])


def test_ten_entries_go_in_a_call_and_in_order(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))

    sink.publish([event(number) for number in range(23)])

    ids = [f"e{number}" for number in range(23)]
    assert sent(proxy, scheme) == [ids[:10], ids[10:20], ids[20:]]


def test_later_calls_are_not_made_when_an_earlier_one_fails(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))
    proxy.plan(CALLS[scheme], not_taking(9), not_taking(0))

    with pytest.raises(SinkUnavailable):
        sink.publish([event(number) for number in range(12)])

    assert [len(ids) for ids in sent(proxy, scheme)] == [10, 1]


def test_calls_stay_below_256_kilobytes_counted_in_bytes(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))
    bodies = [f'{{"id":"e{number}","text":"{"密" * 30_000}"}}' for number in range(4)]

    sink.publish([OutboxEvent(id="e", type=KIND, body=body) for body in bodies])

    assert sent(proxy, scheme) == [["e0", "e1"], ["e2", "e3"]]


def test_events_that_fit_together_go_together(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))

    sink.publish([event(number, text="x" * 80_000) for number in range(4)])

    assert [len(ids) for ids in sent(proxy, scheme)] == [3, 1]


def test_event_that_no_call_can_hold_is_refused_before_anything_is_sent(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([event(1), event(2, text="x" * 256 * 1024)])

    assert failure.value.reason == "too large"
    assert sent(proxy, scheme) == []


@pytest.mark.parametrize(
    "body", ["", "no json", '{"a": "\ud800"}', "[]", '{"source": 1}']
)
def test_body_that_is_no_event_is_refused_without_its_text(proxy, scheme, body):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([OutboxEvent(id="e1", type=KIND, body=body)])

    assert failure.value.reason == "event is no JSON object"
    assert failure.value.__context__ is None
    assert sent(proxy, scheme) == []


# what is sent


def test_bus_entry_is_the_whole_event_from_kycourier_by_its_type(proxy):
    bus = new_bus(proxy.url)
    published = event(1, traceparent=PARENT)

    open_sink(proxy.url, "eventbridge", bus).publish([published])

    (asked,) = proxy.asked("PutEvents")
    assert asked["Entries"] == [
        {
            "EventBusName": bus,
            "Source": "kycourier",
            "DetailType": KIND,
            "Detail": published.body,
        }
    ]


def test_event_on_the_bus_reaches_a_queue_by_a_rule_on_its_type(moto):
    bus, queue = new_bus(moto), new_queue(moto)
    events, sqs = client("events", moto), client("sqs", moto)
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
def test_message_carries_id_type_and_trace_beside_its_body(moto, parent):
    queue = new_queue(moto)
    published = event(1, **({"traceparent": parent} if parent else {}))

    open_sink(moto, "sqs", queue).publish([published])

    (message,) = read_queue(moto, queue)
    attributes = message["MessageAttributes"]
    texts = {name: each["StringValue"] for name, each in attributes.items()}
    trace = {"traceparent": parent} if parent else {}
    assert message["Body"] == published.body
    assert texts == {"id": "e1", "type": KIND, **trace}


def test_fifo_queue_keeps_the_apps_events_in_order_and_repeats_out(moto):
    queue = new_queue(moto, suffix=".fifo")
    sink = open_sink(moto, "sqs", queue)

    sink.publish([event(3), event(1), event(2)])
    sink.publish([event(1)])

    messages = read_queue(moto, queue)
    assert [json.loads(each["Body"])["id"] for each in messages] == ["e3", "e1", "e2"]
    attributes = messages[0]["Attributes"]
    assert attributes["MessageGroupId"] == SOURCE
    assert attributes["MessageDeduplicationId"] == "e3"


def test_in_a_fifo_queue_none_overtakes_one_that_was_not_taken(proxy):
    queue = new_queue(proxy.url, suffix=".fifo")
    sink = open_sink(proxy.url, "sqs", queue)
    proxy.plan("SendMessageBatch", not_taking(0), not_taking(0))

    with pytest.raises(SinkUnavailable):
        sink.publish([event(1), event(2)])

    assert sent(proxy, "sqs") == [["e1"], ["e1"]]


# the start, and faults


def start(url: str, scheme: str, name: str) -> str:
    """Give why a sink cannot be opened, as the setting says it."""
    with pytest.raises(SettingError) as failure:
        places.open_events(Place(scheme, name), surroundings(url))
    assert failure.value.variable == "KYCOURIER_EVENTS"
    assert failure.value.__context__ is None
    assert name not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


def test_place_that_is_not_there_stops_the_start(moto, scheme):
    reason = start(moto, scheme, new_name("none"))

    assert reason == f"no such {KINDS[scheme]} in this region"


def test_place_of_another_region_stops_the_start(moto, scheme):
    name = new_place(moto, scheme)
    elsewhere = surroundings(moto, AWS_REGION="eu-central-1")

    with pytest.raises(SettingError) as failure:
        places.open_events(Place(scheme, name), elsewhere)

    assert failure.value.why.endswith(f"no such {KINDS[scheme]} in this region")


def refusing(symbol: str) -> Play:
    return failing(symbol, said=f"User arn:canary is refused {KIND}")


def test_denied_look_stops_the_start(proxy, scheme):
    name = new_place(proxy.url, scheme)
    looks = {"eventbridge": "DescribeEventBus", "sqs": "GetQueueUrl"}
    proxy.plan(looks[scheme], refusing("AccessDeniedException"))

    reason = start(proxy.url, scheme, name)

    service = "events" if scheme == "eventbridge" else "sqs"
    assert reason == f"denied {service}:{looks[scheme]} on a {KINDS[scheme]}"


def test_nobody_there_stops_the_start(scheme):
    reason = start(f"http://127.0.0.1:{refusing_port()}", scheme, "name1")

    assert reason == "unreachable"


def test_denied_publish_names_the_permission_and_is_not_tried_again(proxy, scheme):
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))
    proxy.plan(CALLS[scheme], refusing("AccessDeniedException"))

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([event(1)])

    assert failure.value.reason == f"denied {ACTIONS[scheme]} on a {KINDS[scheme]}"
    assert failure.value.__context__ is None
    assert len(proxy.named(CALLS[scheme])) == 1


def test_publish_that_was_done_and_not_answered_is_repeated(proxy, scheme):
    """At least once: the id tells that it is the same."""
    sink = open_sink(proxy.url, scheme, new_place(proxy.url, scheme))
    proxy.plan(CALLS[scheme], done_then(503))

    sink.publish([event(1)])

    assert sent(proxy, scheme) == [["e1"], ["e1"]]


@pytest.mark.parametrize(
    "play", [failing("ThrottlingException"), failing("InternalFailure", 500), cut]
)
def test_a_fault_that_passes_does_not_keep_the_sink_from_opening(proxy, moto, play):
    bus = new_bus(moto)
    proxy.plan("DescribeEventBus", *[play] * 3)

    sink = open_sink(proxy.url, "eventbridge", bus)

    sink.publish([event(1)])
    assert proxy.calls[-1].name == "PutEvents"

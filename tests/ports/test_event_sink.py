"""The contract of EventSink, held to by every implementation."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from aws.edges import new_bus, new_queue, open_sink, read_queue
from fakes import MemoryEventSink
from kycourier.adapters.local.events import FileEventSink
from kycourier.core.errors import SinkUnavailable
from kycourier.core.order_record import OutboxEvent
from kycourier.ports import EventSink
from stand_ins import IN_CLOUD
from tencent import account as tencent

WORKERS = 8


class Bench(NamedTuple):
    """A sink, a way to read the bodies it took, and how long a text it takes.

    `together`: events that are published together come one after the other.
    """

    sink: EventSink
    bodies: Callable[[], list[str]]
    longest: int = 200_000
    together: bool = True


def build_memory(_: pytest.FixtureRequest) -> Bench:
    sink = MemoryEventSink()
    return Bench(sink, lambda: [event.body for event in sink.events])


def build_file(request: pytest.FixtureRequest) -> Bench:
    path = request.getfixturevalue("tmp_path") / "events.jsonl"
    sink = FileEventSink(path)
    return Bench(sink, lambda: path.read_bytes().decode().split("\n")[:-1])


def build_eventbridge(request: pytest.FixtureRequest) -> Bench:
    """Read what moto said it took: what its rules pass on is spelled anew."""
    proxy = request.getfixturevalue("proxy")
    sink = open_sink(proxy.url, "eventbridge", new_bus(proxy.url))

    def bodies() -> list[str]:
        return [
            entry["Detail"]
            for call, answer in proxy.answers
            if call.name == "PutEvents" and answer.status == 200
            for entry, taken in zip(
                call.json["Entries"],
                answer.json["Entries"],
                strict=True,
            )
            if "EventId" in taken
        ]

    return Bench(sink, bodies)


def build_sqs(request: pytest.FixtureRequest) -> Bench:
    moto = request.getfixturevalue("moto")
    name = new_queue(moto)
    sink = open_sink(moto, "sqs", name)
    return Bench(sink, lambda: [each["Body"] for each in read_queue(moto, name)])


def build_tencent_eb(request: pytest.FixtureRequest) -> Bench:
    account = request.getfixturevalue("account")
    sink = tencent.open_sink(account.url, account.make_bus())
    return Bench(sink, account.bodies, longest=60_000, together=False)


BUILD = {
    "memory": build_memory,
    "file": build_file,
    "eventbridge": build_eventbridge,
    "sqs": build_sqs,
    "tencent-eb": build_tencent_eb,
}
KINDS = [
    "memory",
    "file",
    pytest.param("eventbridge", marks=IN_CLOUD),
    pytest.param("sqs", marks=IN_CLOUD),
    pytest.param("tencent-eb", marks=pytest.mark.enable_socket),
]


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Bench:
    return BUILD[request.param](request)


def event(number: int, text: str = "") -> OutboxEvent:
    kind = "kycourier.ocr.parked.v1"
    return OutboxEvent(
        id=f"e{number}", type=kind, body=f'{{"id":"e{number}","text":"{text}"}}'
    )


def test_events_are_taken_in_order(bench):
    events = [event(number) for number in (3, 1, 2)]

    bench.sink.publish(events)

    assert bench.bodies() == [each.body for each in events]


def test_later_events_come_after_earlier_ones_and_repeats_are_taken(bench):
    bench.sink.publish([event(1), event(2)])
    bench.sink.publish([event(2)])
    bench.sink.publish([event(3)])

    assert bench.bodies() == [event(number).body for number in (1, 2, 2, 3)]


def test_no_events_are_nothing(bench):
    bench.sink.publish([])

    assert bench.bodies() == []


def test_long_body_is_handed_over_to_the_byte(bench):
    bench.sink.publish([event(1, "a" * bench.longest)])

    assert bench.bodies() == [event(1, "a" * bench.longest).body]


@pytest.mark.parametrize("text", ["识别 \\u8bc6", "\u2028\x85"])
def test_body_is_handed_over_to_the_byte(bench, text):
    bench.sink.publish([event(1, text)])

    assert bench.bodies() == [event(1, text).body]


def test_body_that_is_no_json_is_handed_over_to_the_byte_or_refused_whole(
    bench, request
):
    events = [event(1), event(2, "\x0b")]

    if request.node.callspec.params["bench"] in {"memory", "file"}:
        bench.sink.publish(events)
        assert bench.bodies() == [each.body for each in events]
    else:
        with pytest.raises(SinkUnavailable):
            bench.sink.publish(events)
        assert bench.bodies() == []


def test_events_of_many_at_once_stay_whole_and_in_order(bench, at_once):
    """And together, where a sink takes several in one call."""
    pairs = [
        (event(worker, "x" * 9000), event(worker + 100)) for worker in range(WORKERS)
    ]

    at_once(lambda worker: bench.sink.publish(pairs[worker]))

    bodies = bench.bodies()
    places = [tuple(bodies.index(each.body) for each in pair) for pair in pairs]
    assert sorted(at for pair in places for at in pair) == [*range(2 * WORKERS)]
    assert all(first < second for first, second in places)
    if bench.together:
        assert all(second == first + 1 for first, second in places)

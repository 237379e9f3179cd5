"""The contract of EventSink, held to by every implementation."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from fakes import MemoryEventSink
from kycourier.adapters.local.events import FileEventSink
from kycourier.core.order_record import OutboxEvent
from kycourier.ports import EventSink


class Bench(NamedTuple):
    """A sink, and a way to read the bodies it took."""

    sink: EventSink
    bodies: Callable[[], list[str]]


def build_memory(_: Path) -> Bench:
    sink = MemoryEventSink()
    return Bench(sink, lambda: [event.body for event in sink.events])


def build_file(folder: Path) -> Bench:
    path = folder / "events.jsonl"
    sink = FileEventSink(path)
    return Bench(sink, lambda: path.read_bytes().decode().split("\n")[:-1])


BUILD = {"memory": build_memory, "file": build_file}


@pytest.fixture(params=BUILD)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return BUILD[request.param](tmp_path)


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


@pytest.mark.parametrize("text", ["识别 \\u8bc6", "\u2028\x85\x0b", "a" * 200_000])
def test_body_is_handed_over_to_the_byte(bench, text):
    bench.sink.publish([event(1, text)])

    assert bench.bodies() == [event(1, text).body]


def test_events_of_many_at_once_stay_whole_and_together(bench, at_once):
    at_once(
        lambda worker: bench.sink.publish(
            [event(worker, "x" * 9000), event(worker + 100)]
        )
    )

    bodies = bench.bodies()
    assert sorted(zip(bodies[::2], bodies[1::2], strict=True)) == sorted(
        (event(worker, "x" * 9000).body, event(worker + 100).body)
        for worker in range(8)
    )

"""The contract of EventSink, run on every implementation."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest

from kycourier.adapters.local.events import FileEventSink
from kycourier.adapters.system import SystemClock
from kycourier.adapters.webhook.sink import WebhookSink
from kycourier.core.orders.record import OutboxEvent
from kycourier.ports import EventSink
from support import tencent_api_rig as tencent
from support.aws.services import new_bus, new_queue, open_sink, read_queue
from support.fakes import MemoryEventSink
from support.rigs.in_memory import MutableSecret
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import HostileServer, Peer, http_response

WORKERS = 8


class EventSinkRig(NamedTuple):
    """A sink; `bodies` reads what was published, `longest` is the largest text.

    If `together`, the events of one batch stay contiguous.
    """

    sink: EventSink
    bodies: Callable[[], list[str]]
    longest: int = 200_000
    together: bool = True


def build_memory(_: pytest.FixtureRequest) -> EventSinkRig:
    sink = MemoryEventSink()
    return EventSinkRig(sink, lambda: [event.body for event in sink.events])


def build_file(request: pytest.FixtureRequest) -> EventSinkRig:
    path = request.getfixturevalue("tmp_path") / "events.jsonl"
    sink = FileEventSink(path)
    return EventSinkRig(sink, lambda: path.read_bytes().decode().split("\n")[:-1])


def build_eventbridge(request: pytest.FixtureRequest) -> EventSinkRig:
    """Read what moto accepted; its rules would re-encode the bodies."""
    proxy = request.getfixturevalue("proxy")
    sink = open_sink(proxy.url, "eventbridge", new_bus(proxy.url))

    def bodies() -> list[str]:
        return [
            entry["Detail"]
            for call, response in proxy.responses
            if call.name == "PutEvents" and response.status == 200
            for entry, taken in zip(
                call.json["Entries"], response.json["Entries"], strict=True
            )
            if "EventId" in taken
        ]

    return EventSinkRig(sink, bodies)


def build_sqs(request: pytest.FixtureRequest) -> EventSinkRig:
    moto = request.getfixturevalue("moto")
    name = new_queue(moto)
    sink = open_sink(moto, "sqs", name)
    return EventSinkRig(sink, lambda: [each["Body"] for each in read_queue(moto, name)])


def build_webhook(request: pytest.FixtureRequest) -> EventSinkRig:
    """Read what a receiver on loopback was sent; events may come over many sockets."""
    bodies: list[str] = []

    def take(peer: Peer) -> None:
        head = peer.read_request().decode()
        length = int(re.search(r"Content-Length: ([0-9]+)", head)[1])
        bodies.append(peer.read_bytes(length).decode())
        peer.send(http_response(b"", status="204 No Content"))

    server = HostileServer(take)
    request.addfinalizer(server.close)
    sink = WebhookSink(
        server.url,
        secret=MutableSecret("whsec_" + "A" * 32),
        clock=SystemClock(),
        extra_ca_file=None,
    )
    return EventSinkRig(sink, lambda: list(bodies), together=False)


def build_tencent_eb(request: pytest.FixtureRequest) -> EventSinkRig:
    account = request.getfixturevalue("account")
    sink = tencent.open_sink(account.url, account.make_bus())
    return EventSinkRig(sink, account.bodies, longest=60_000, together=False)


BUILD = {
    "memory": build_memory,
    "file": build_file,
    "eventbridge": build_eventbridge,
    "sqs": build_sqs,
    "tencent-eb": build_tencent_eb,
    "webhook": build_webhook,
}
KINDS = [
    "memory",
    "file",
    pytest.param("eventbridge", marks=EMULATOR_MARKS),
    pytest.param("sqs", marks=EMULATOR_MARKS),
    pytest.param("tencent-eb", marks=pytest.mark.enable_socket),
    pytest.param("webhook", marks=pytest.mark.enable_socket),
]


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest) -> EventSinkRig:
    return BUILD[request.param](request)


def event(number: int, text: str = "") -> OutboxEvent:
    kind = "kycourier.bank_card.parked.v1"
    return OutboxEvent(
        id=f"e{number}", type=kind, body=f'{{"id":"e{number}","text":"{text}"}}'
    )


def test_repeated_events_are_published_again_in_order(rig):
    rig.sink.publish([event(1), event(2)])
    rig.sink.publish([event(2)])
    rig.sink.publish([event(3)])

    assert rig.bodies() == [event(number).body for number in (1, 2, 2, 3)]


def test_empty_batch_publishes_nothing(rig):
    rig.sink.publish([])

    assert rig.bodies() == []


@pytest.mark.parametrize("text", ["识别 \\u8bc6", "\u2028\x85", "longest"])
def test_body_is_published_unchanged(rig, text):
    sent = event(1, "a" * rig.longest if text == "longest" else text)

    rig.sink.publish([sent])

    assert rig.bodies() == [sent.body]


def test_concurrent_batches_stay_whole_and_in_order(rig, at_once):
    """Batches stay contiguous where a sink takes several events in one call."""
    pairs = [
        (event(worker, "x" * 9000), event(worker + 100)) for worker in range(WORKERS)
    ]

    at_once(lambda worker: rig.sink.publish(pairs[worker]))

    bodies = rig.bodies()
    positions = [tuple(bodies.index(each.body) for each in pair) for pair in pairs]
    assert sorted(at for pair in positions for at in pair) == [*range(2 * WORKERS)]
    assert all(first < second for first, second in positions)
    if rig.together:
        assert all(second == first + 1 for first, second in positions)

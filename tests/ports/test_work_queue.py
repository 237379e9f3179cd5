"""The contract of WorkQueue, and of the consumer's side that the local gateway uses."""

import json
from datetime import timedelta
from typing import Protocol

import pytest

from kycourier.adapters.local.queue import QueuedMessage, SqliteWorkQueue
from kycourier.core.orders.record import OrderKey
from kycourier.ports import WorkQueue
from support.aws.aws_proxy import AwsProxy
from support.aws.services import new_queue, open_queue
from support.fakes import Delivery, FakeClock, MemoryWorkQueue
from support.servers.emulators import EMULATOR_MARKS

Message = Delivery | QueuedMessage


class Queue(WorkQueue, Protocol):
    """Both sides of a queue."""

    def receive(
        self, limit: int, *, visibility_seconds: float
    ) -> tuple[Message, ...]: ...

    def acknowledge(self, message: Message) -> None: ...


class SqsQueue:
    """Delivers messages sent to moto after their DelaySeconds on the test's clock.

    Redelivery and acknowledgement are SQS's own and not simulated.
    """

    def __init__(self, proxy: AwsProxy, clock: FakeClock) -> None:
        self._queue = open_queue(proxy.url, new_queue(proxy.url))
        self._proxy, self._clock = proxy, clock
        self._waiting: list[tuple[float, Delivery]] = []

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        self._queue.enqueue(order, delay)
        call, response = self._proxy.responses[-1]
        assert (call.name, response.status) == ("SendMessage", 200)
        sent = call.json
        due = self._clock.monotonic() + sent["DelaySeconds"]
        delivery = Delivery(len(self._proxy.responses), 1, sent["MessageBody"])
        self._waiting.append((due, delivery))

    def receive(self, limit: int, *, visibility_seconds: float) -> tuple[Delivery, ...]:
        assert visibility_seconds > 0
        now = self._clock.monotonic()
        taken = sorted(each for each in self._waiting if each[0] <= now)[:limit]
        self._waiting = [each for each in self._waiting if each not in taken]
        return tuple(delivery for _, delivery in taken)


def build_memory(_: pytest.FixtureRequest, clock: FakeClock) -> Queue:
    return MemoryWorkQueue(clock)


def build_sqlite(request: pytest.FixtureRequest, clock: FakeClock) -> Queue:
    return SqliteWorkQueue(request.getfixturevalue("tmp_path") / "queue.db", clock)


def build_sqs(request: pytest.FixtureRequest, clock: FakeClock) -> SqsQueue:
    return SqsQueue(request.getfixturevalue("proxy"), clock)


BUILD = {"memory": build_memory, "sqlite": build_sqlite, "sqs": build_sqs}
ENQUEUING = pytest.mark.parametrize(
    "queue",
    ["memory", "sqlite", pytest.param("sqs", marks=EMULATOR_MARKS)],
    indirect=True,
)
CONSUMING = pytest.mark.parametrize("queue", ["memory", "sqlite"], indirect=True)
NOW = timedelta(0)
TICK = 1e-6


@pytest.fixture
def queue(request: pytest.FixtureRequest, clock: FakeClock) -> Queue | SqsQueue:
    return BUILD[request.param](request, clock)


def order(number: int) -> OrderKey:
    return OrderKey("SANDBOX1", f"order{number}")


def receive(queue: Queue, limit: int = 10) -> list[str]:
    messages = queue.receive(limit, visibility_seconds=30)
    return [json.loads(message.body)["order_no"] for message in messages]


@ENQUEUING
def test_message_contains_only_the_order_and_due(queue):
    queue.enqueue(order(1), NOW)

    (message,) = queue.receive(10, visibility_seconds=30)

    assert json.loads(message.body) == {
        "order_no": "order1",
        "app_id": "SANDBOX1",
        "due": True,
    }


@ENQUEUING
def test_message_is_delivered_exactly_after_its_delay(queue, clock):
    queue.enqueue(order(1), timedelta(seconds=5))
    clock.sleep(5 - TICK)
    assert receive(queue) == []

    clock.sleep(TICK)

    assert receive(queue) == ["order1"]


@ENQUEUING
def test_messages_are_delivered_by_due_time(queue, clock):
    for number, seconds in [(1, 9), (2, 3), (3, 3), (4, 0)]:
        queue.enqueue(order(number), timedelta(seconds=seconds))
    clock.sleep(10)

    assert receive(queue) == ["order4", "order2", "order3", "order1"]


@CONSUMING
def test_receive_returns_at_most_limit_messages(queue):
    for number in range(5):
        queue.enqueue(order(number), NOW)

    assert receive(queue, 2) == ["order0", "order1"]
    assert receive(queue, 2) == ["order2", "order3"]
    assert receive(queue, 2) == ["order4"]
    assert receive(queue, 2) == []


@CONSUMING
def test_unacknowledged_message_is_redelivered(queue, clock):
    queue.enqueue(order(1), NOW)
    first = queue.receive(10, visibility_seconds=30)
    clock.sleep(30 - TICK)
    assert queue.receive(10, visibility_seconds=30) == ()
    clock.sleep(TICK)

    again = queue.receive(10, visibility_seconds=30)

    assert [(m.receives, m.body) for m in first] == [(1, first[0].body)]
    assert [(m.receives, m.body) for m in again] == [(2, first[0].body)]


@CONSUMING
@pytest.mark.parametrize("times", [1, 2])
def test_acknowledged_message_is_not_redelivered(queue, clock, times):
    queue.enqueue(order(1), NOW)
    queue.enqueue(order(2), NOW)
    first, _ = queue.receive(10, visibility_seconds=30)

    for _ in range(times):
        queue.acknowledge(first)
    clock.sleep(30)

    assert receive(queue) == ["order2"]


@CONSUMING
def test_late_acknowledgement_does_not_affect_the_next_delivery(queue, clock):
    queue.enqueue(order(1), NOW)
    (first,) = queue.receive(10, visibility_seconds=30)
    clock.sleep(30)
    queue.receive(10, visibility_seconds=30)

    queue.acknowledge(first)
    clock.sleep(30)

    assert receive(queue) == ["order1"]


@pytest.mark.parametrize("queue", ["sqlite"], indirect=True)
def test_each_message_goes_to_one_of_many_concurrent_consumers(queue, at_once):
    """The fake is used by one thread at a time."""

    def work(worker: int) -> list[str]:
        for number in range(10):
            queue.enqueue(order(100 * worker + number), NOW)
        return [order_no for _ in range(10) for order_no in receive(queue, 1)]

    found = [order_no for each in at_once(work) for order_no in each]

    assert len(found) == len(set(found)) == 80


@ENQUEUING
def test_same_order_enqueued_twice_is_delivered_twice(queue):
    queue.enqueue(order(1), NOW)
    queue.enqueue(order(1), NOW)

    assert receive(queue) == ["order1", "order1"]

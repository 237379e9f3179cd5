"""The queue loop and the timer loops."""

import json
from datetime import timedelta
from threading import Event

import pytest

from kycourier.adapters.local.queue import SqliteWorkQueue
from kycourier.adapters.system import SystemClock
from kycourier.core.orders.record import OrderKey
from kycourier_devkit.errors import FunctionExitedError
from kycourier_devkit.serve.loops import VISIBILITY_SECONDS, Loops


class ScriptedPool:
    """A function pool with scripted results; the last one stops the loop."""

    def __init__(self, stop, results):
        self._stop, self._results = stop, results
        self.events = []

    def invoke(self, event, *, timeout_seconds):
        assert timeout_seconds * 6 <= VISIBILITY_SECONDS
        self.events.append(event)
        result = self._results.pop(0)
        if not self._results:
            self._stop.set()
        if isinstance(result, Exception):
            raise result
        return result(event) if callable(result) else result


class AdjustableClock(SystemClock):
    """A clock that tests can set ahead."""

    ahead = timedelta(0)

    def now(self):
        return super().now() + self.ahead


@pytest.fixture
def stop():
    return Event()


@pytest.fixture
def logged():
    return []


@pytest.fixture
def clock():
    return AdjustableClock()


@pytest.fixture
def loops(stop, logged, clock):
    return Loops(stop=stop, clock=clock, log=lambda *line: logged.append(line))


@pytest.fixture
def queue(tmp_path, clock):
    return SqliteWorkQueue(tmp_path / "queue.db", clock)


def fail_second(event):
    failed = {"itemIdentifier": event["Records"][1]["messageId"]}
    return {"batchItemFailures": [failed]}


def fail_none(_):
    return {"batchItemFailures": []}


def orders_of(event):
    return [json.loads(record["body"])["order_no"] for record in event["Records"]]


def enqueue(queue, *numbers):
    for number in numbers:
        queue.enqueue(OrderKey("SANDBOX1", number), timedelta(0))


def test_failed_message_is_delivered_again(loops, queue, stop, logged, clock):
    enqueue(queue, "A1", "A2", "A3")
    loops.run_queue(ScriptedPool(stop, [fail_second]), queue)
    assert logged == [("collect_results", "1 of 3 messages returned")]
    assert not queue.receive(10, visibility_seconds=0)
    clock.ahead = timedelta(seconds=VISIBILITY_SECONDS)
    stop.clear()
    function = ScriptedPool(stop, [fail_none])
    loops.run_queue(function, queue)
    [event] = function.events
    assert orders_of(event) == ["A2"]
    received = event["Records"][0]["attributes"]["ApproximateReceiveCount"]
    assert received == "2"


def test_message_stays_queued_if_function_exits(loops, queue, stop, logged, clock):
    enqueue(queue, "A1")
    loops.run_queue(
        ScriptedPool(stop, [FunctionExitedError("collect_results", -9)]), queue
    )
    assert logged == []  # the loop was stopping
    clock.ahead = timedelta(seconds=VISIBILITY_SECONDS)
    [message] = queue.receive(10, visibility_seconds=0)
    assert message.receives == 2


def test_timer_fires_at_start_and_continues_after_failure(loops, stop, logged):
    died = FunctionExitedError("sweep_orders", 1)
    function = ScriptedPool(stop, [{"due": 1}, died, {"due": 0}])
    loops.run_timer(function, "sweep_orders", 0.01)
    assert [event["detail-type"] for event in function.events] == [
        "Scheduled Event"
    ] * 3
    assert logged == [("sweep_orders", str(died))]

"""The queue and the timers, as serve runs them."""

import json
from datetime import timedelta
from threading import Event

import pytest

from kycourier.adapters.local.queue import SqliteWorkQueue
from kycourier.adapters.system import SystemClock
from kycourier.core.models import OrderKey
from kycourier_devkit.errors import FunctionDied
from kycourier_devkit.serve.loops import VISIBILITY_SECONDS, Loops


class Function:
    """A pool that answers as it is told, and stops the loop after so many events."""

    def __init__(self, stop, answers):
        self._stop, self._answers = stop, answers
        self.events = []

    def invoke(self, event, *, timeout_seconds):
        assert timeout_seconds * 6 <= VISIBILITY_SECONDS
        self.events.append(event)
        answer = self._answers.pop(0)
        if not self._answers:
            self._stop.set()
        if isinstance(answer, Exception):
            raise answer
        return answer(event) if callable(answer) else answer


class LaterClock(SystemClock):
    """A clock that can be put forward."""

    ahead = timedelta(0)

    def now(self):
        return super().now() + self.ahead


@pytest.fixture
def stop():
    return Event()


@pytest.fixture
def told():
    return []


@pytest.fixture
def clock():
    return LaterClock()


@pytest.fixture
def loops(stop, told, clock):
    return Loops(stop=stop, clock=clock, tell=lambda *what: told.append(what))


@pytest.fixture
def queue(tmp_path, clock):
    return SqliteWorkQueue(tmp_path / "queue.db", clock)


def return_second(event):
    return {
        "batchItemFailures": [
            {"itemIdentifier": event["Records"][1]["messageId"]},
        ]
    }


def return_none(_):
    return {"batchItemFailures": []}


def orders_of(event):
    return [json.loads(record["body"])["order_no"] for record in event["Records"]]


def enqueue(queue, *numbers):
    for number in numbers:
        queue.enqueue(OrderKey("SANDBOX1", number), timedelta(0))


def test_what_is_due_is_delivered_in_one_batch_and_ends(loops, queue, stop, told):
    enqueue(queue, "A1", "A2")
    function = Function(stop, [return_none])
    loops.run_queue(function, queue)
    assert [orders_of(event) for event in function.events] == [["A1", "A2"]]
    assert told == [("collect_results", "batch of 2, 0 returned")]
    assert not queue.receive(10, visibility_seconds=0)


def test_what_comes_back_is_delivered_again_later(loops, queue, stop, told, clock):
    enqueue(queue, "A1", "A2", "A3")
    loops.run_queue(Function(stop, [return_second]), queue)
    assert told == [("collect_results", "batch of 3, 1 returned")]
    assert not queue.receive(10, visibility_seconds=0)
    clock.ahead = timedelta(seconds=VISIBILITY_SECONDS)
    stop.clear()
    function = Function(stop, [return_none])
    loops.run_queue(function, queue)
    [event] = function.events
    assert orders_of(event) == ["A2"]
    received = event["Records"][0]["attributes"]["ApproximateReceiveCount"]
    assert received == "2"


def test_a_function_that_dies_ends_no_message(loops, queue, stop, told, clock):
    enqueue(queue, "A1")
    loops.run_queue(Function(stop, [FunctionDied("collect_results", -9)]), queue)
    assert told == []  # it was told to stop
    clock.ahead = timedelta(seconds=VISIBILITY_SECONDS)
    [message] = queue.receive(10, visibility_seconds=0)
    assert message.receives == 2


def test_a_timer_fires_at_once_and_again_and_outlives_a_failure(loops, stop, told):
    died = FunctionDied("sweep_orders", 1)
    function = Function(stop, [{"due": 1}, died, {"due": 0}])
    loops.run_timer(function, "sweep_orders", 0.01)
    assert [event["detail-type"] for event in function.events] == [
        "Scheduled Event"
    ] * 3
    assert [text for _, text in told] == ["due 1", str(died), "due 0"]

"""What calls the functions while serve runs, HTTP apart: the queue and the timers."""

from collections.abc import Callable, Mapping
from threading import Event
from typing import Any

from kycourier.adapters.local.queue import QueuedMessage, SqliteWorkQueue
from kycourier.core.errors import KycourierError
from kycourier.ports import Clock
from kycourier_devkit.errors import FunctionProblem
from kycourier_devkit.functions.trigger_events import (
    Message,
    build_queue_event,
    build_timer_event,
)
from kycourier_devkit.serve.function_pool import FunctionPool

BATCH = 10
TIME_LIMIT_SECONDS = 30.0
VISIBILITY_SECONDS = 6 * TIME_LIMIT_SECONDS
_POLL_SECONDS = 0.2
_AFTER_FAILURE_SECONDS = 2.0

Tell = Callable[[str, str], None]


class Loops:
    """Runs until `stop` is set. `tell` is told what called, and what came of it."""

    def __init__(self, *, stop: Event, clock: Clock, tell: Tell) -> None:
        self._stop, self._clock, self._tell = stop, clock, tell

    def run_timer(self, pool: FunctionPool, name: str, every_seconds: float) -> None:
        """Fire a function's timer at once, and then every so often."""
        while True:
            event = build_timer_event(name, at=self._clock.now())
            answer = self._invoke(name, pool, event)
            if answer is not None:
                self._tell(name, say_members(answer))
            if self._stop.wait(every_seconds):
                return

    def run_queue(self, pool: FunctionPool, queue: SqliteWorkQueue) -> None:
        """Deliver what is due in batches; what comes back is delivered again later."""
        while not self._stop.is_set():
            try:
                messages = queue.receive(BATCH, visibility_seconds=VISIBILITY_SECONDS)
                if messages:
                    self._deliver(pool, queue, messages)
            except KycourierError as error:
                self._tell("queue", error.code)
                self._stop.wait(_AFTER_FAILURE_SECONDS)
                continue
            if not messages:
                self._stop.wait(_POLL_SECONDS)

    def _deliver(
        self,
        pool: FunctionPool,
        queue: SqliteWorkQueue,
        messages: tuple[QueuedMessage, ...],
    ) -> None:
        batch = [
            Message(id=f"m-{each.number}", body=each.body, receives=each.receives)
            for each in messages
        ]
        event = build_queue_event(batch, at=self._clock.now())
        answer = self._invoke("collect_results", pool, event)
        if answer is None:
            return
        returned = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        for message, sent in zip(messages, batch, strict=True):
            if sent.id not in returned:
                queue.acknowledge(message)
        self._tell(
            "collect_results", f"batch of {len(batch)}, {len(returned)} returned"
        )

    def _invoke(self, name: str, pool: FunctionPool, event: object) -> Any:  # noqa: ANN401 - JSON
        """Invoke; a function that fails is told of, and called again next time."""
        try:
            return pool.invoke(event, timeout_seconds=TIME_LIMIT_SECONDS)
        except FunctionProblem as problem:
            if not self._stop.is_set():
                self._tell(name, str(problem))
            return None


def say_members(answer: Mapping[str, object]) -> str:
    """Say a function's answer in a line."""
    return ", ".join(f"{name} {value}" for name, value in answer.items())

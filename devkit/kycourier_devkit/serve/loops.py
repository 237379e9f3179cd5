"""Invokes the functions on timers and for messages in the local queue."""

from collections.abc import Callable
from threading import Event
from typing import Any

from kycourier.adapters.local.queue import QueuedMessage, SqliteWorkQueue
from kycourier.core.errors import KycourierError
from kycourier.ports import Clock
from kycourier_devkit.emulators.lambda_runtime.events import (
    Message,
    build_queue_event,
    build_timer_event,
)
from kycourier_devkit.errors import FunctionError
from kycourier_devkit.serve.function_pool import FunctionPool

TIME_LIMIT_SECONDS = 30.0
VISIBILITY_SECONDS = 6 * TIME_LIMIT_SECONDS  # as AWS recommends for SQS
_MAX_BATCH = 10
_POLL_SECONDS = 0.2
_RETRY_SECONDS = 2.0
_COLLECT = "collect_results"

Log = Callable[[str, str], None]  # source, text


class Loops:
    """Loops that run until `stop` is set; `log` receives a line for each failure."""

    def __init__(self, *, stop: Event, clock: Clock, log: Log) -> None:
        self._stop, self._clock, self._log = stop, clock, log

    def run_timer(self, pool: FunctionPool, name: str, interval_seconds: float) -> None:
        """Fires a function's timer now and then once per interval."""
        while True:
            event = build_timer_event(name, at=self._clock.now())
            self._invoke(name, pool, event)
            if self._stop.wait(interval_seconds):
                return

    def run_queue(self, pool: FunctionPool, queue: SqliteWorkQueue) -> None:
        """Delivers due messages in batches; failed messages are delivered again."""
        while not self._stop.is_set():
            try:
                messages = queue.receive(
                    _MAX_BATCH, visibility_seconds=VISIBILITY_SECONDS
                )
                if messages:
                    self._deliver(pool, queue, messages)
            except KycourierError as error:
                self._log("queue", error.code)
                self._stop.wait(_RETRY_SECONDS)
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
        result = self._invoke(_COLLECT, pool, event)
        if result is None:
            return
        failed = {each["itemIdentifier"] for each in result["batchItemFailures"]}
        for message, delivered in zip(messages, batch, strict=True):
            if delivered.id not in failed:
                queue.acknowledge(message)
        if failed:
            self._log(_COLLECT, f"{len(failed)} of {len(batch)} messages returned")

    def _invoke(self, name: str, pool: FunctionPool, event: object) -> Any:  # noqa: ANN401 - JSON
        """Invokes a function; logs its failure and returns None."""
        try:
            return pool.invoke(event, timeout_seconds=TIME_LIMIT_SECONDS)
        except FunctionError as error:
            if not self._stop.is_set():
                self._log(name, str(error))
            return None

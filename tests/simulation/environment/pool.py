"""The service's worker pool as cooperative tasks on virtual time."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from greenlet import getcurrent

from kycourier.core.errors import OutOfTimeError
from kycourier.core.timing import BATCH_RESERVE_SECONDS, RUN_MIN_SECONDS
from kycourier.usecases.deadlines import Deadline
from simulation.engine.scheduler import Scheduler, wait_until_woken
from simulation.environment.machine import Machine

T = TypeVar("T")
R = TypeVar("R")


class SimulatedPool:
    """Works on a limited number of items at once, and starts none too late."""

    def __init__(
        self, machine: Machine, scheduler: Scheduler, *, max_in_flight: int
    ) -> None:
        self._machine, self._scheduler = machine, scheduler
        self._max_in_flight = max_in_flight

    def run(
        self,
        work: Callable[[T, Deadline], R],
        items: Iterable[T],
        deadline: Deadline,
    ) -> list[Future[R]]:
        seconds = max(deadline.seconds() - BATCH_RESERVE_SECONDS, RUN_MIN_SECONDS)
        return self._run(
            lambda item: work(item, deadline), items, self._max_in_flight, seconds
        )

    def run_all(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Work on all items at once, and wait for the last."""
        return [each.result() for each in self._run(work, items, len(items), None)]

    def _run(
        self,
        work: Callable[[T], R],
        items: Iterable[T],
        max_workers: int,
        timeout_seconds: float | None,
    ) -> list[Future[R]]:
        todo = [(item, Future[R]()) for item in items]
        futures = [future for _, future in todo]
        todo.reverse()
        running, is_waiting, wake_caller = 0, True, getcurrent().wake

        def wake() -> None:
            nonlocal is_waiting
            if is_waiting:
                is_waiting = False
                wake_caller()

        def worker() -> None:
            nonlocal running
            while todo:
                item, future = todo.pop()
                try:
                    future.set_result(work(item))
                except Exception as error:  # noqa: BLE001 - a pool keeps it as well
                    future.set_exception(error)
            running -= 1
            if not running:
                wake()

        for _ in range(min(max_workers, len(todo))):
            running += 1
            self._scheduler.start(worker, self._machine)
        if running:
            if timeout_seconds is not None:
                self._scheduler.after(timeout_seconds, wake)
            wait_until_woken()
            todo.clear()
        return [each if each.done() else _timed_out() for each in futures]


def _timed_out() -> Future[R]:
    future: Future[R] = Future()
    future.set_exception(OutOfTimeError("hangs"))
    return future

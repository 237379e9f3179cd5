"""Runs work concurrently: orders within a cap and a deadline, or photos at once."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from kycourier.core.errors import OutOfTimeError
from kycourier.core.timing import BATCH_RESERVE_SECONDS, RUN_MIN_SECONDS
from kycourier.usecases.deadlines import Deadline

T = TypeVar("T")
R = TypeVar("R")


class BoundedPool:
    """A pool of threads, made when first needed; items fail independently."""

    def __init__(self, *, size: int) -> None:
        self._size = size
        self._pool: ThreadPoolExecutor | None = None

    def run(
        self,
        work: Callable[[T, Deadline], R],
        items: Iterable[T],
        deadline: Deadline,
    ) -> list[Future[R]]:
        """Runs `work` on every item and waits for all of them.

        A thread that still runs near the deadline is abandoned: whatever it writes
        later is refused by its fence.

        Returns:
            One finished future for each item: a result, or an error, which is
            OutOfTimeError for an abandoned item.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._size, thread_name_prefix="order")
        futures = [
            self._pool.submit(copy_context().run, work, item, deadline)
            for item in items
        ]
        patience = max(deadline.seconds() - BATCH_RESERVE_SECONDS, RUN_MIN_SECONDS)
        _, late = wait(futures, timeout=patience)
        if late:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        return [_abandoned() if each in late else each for each in futures]


class FanOut:
    """Threads for work with a deadline of its own, kept from order to order."""

    def __init__(self, *, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix="photo")

    def run(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Runs `work` on all items at once and waits for all of them.

        Raises what the first item that failed raised.
        """
        futures = [self._pool.submit(work, item) for item in items]
        wait(futures)
        return [future.result() for future in futures]


def run_sequentially(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Runs `work` on one item after another, for work that waits only for a disk."""
    return [work(item) for item in items]


def _abandoned() -> Future[R]:
    future: Future[R] = Future()
    future.set_exception(OutOfTimeError("hangs"))
    return future

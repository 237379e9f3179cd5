"""Work on several things at once: orders within a cap and the time left, or photos."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from kycourier.core.errors import OutOfTime
from kycourier.usecases.time_left import TimeLeft

RETURN_SECONDS = 0.7  # before the end: what has not come back by then is given up
LEAST_SECONDS = 0.1

T = TypeVar("T")
R = TypeVar("R")


class SideBySide:
    """A pool of workers, made when first needed; one failure harms no other."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._pool: ThreadPoolExecutor | None = None

    def run(
        self,
        work: Callable[[T, TimeLeft], R],
        items: Iterable[T],
        time_left: TimeLeft,
    ) -> list[Future[R]]:
        """Run `work` on every item and wait; each future holds a result or an error.

        That is OutOfTime for what hangs until the end is near. Its thread is left to
        itself, as a process that froze: whatever it still does, its fence decides.
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="order")
        futures = [self._pool.submit(work, item, time_left) for item in items]
        patience = max(time_left.seconds() - RETURN_SECONDS, LEAST_SECONDS)
        _, late = wait(futures, timeout=patience)
        if late:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        return [_given_up() if each in late else each for each in futures]


class AllAtOnce:
    """Threads for work that has an end of its own, kept from one order to the next."""

    def __init__(self, *, most: int) -> None:
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="photo")

    def run(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Run `work` on all items at once, until all have come back.

        Raises what the first of those that failed did.
        """
        futures = [self._pool.submit(work, item) for item in items]
        wait(futures)
        return [future.result() for future in futures]


def run_in_turn(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Run `work` on one item after another: where it waits for nothing but a disk."""
    return [work(item) for item in items]


def _given_up() -> Future[R]:
    future: Future[R] = Future()
    future.set_exception(OutOfTime("hangs"))
    return future

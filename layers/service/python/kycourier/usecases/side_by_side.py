"""Work on several orders at once, within the in-flight cap."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class SideBySide:
    """A pool of workers, made when first needed; one failure harms no other."""

    def __init__(self, *, most: int) -> None:
        self._most = most
        self._pool: ThreadPoolExecutor | None = None

    def run(self, work: Callable[[T], R], items: Iterable[T]) -> list[Future[R]]:
        """Run `work` on every item and wait; each future holds a result or an error."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._most, thread_name_prefix="order")
        futures = [self._pool.submit(work, item) for item in items]
        wait(futures)
        return futures

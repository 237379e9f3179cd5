"""Workers of one app on the real function files, killed and frozen at random moments.

Messages are delivered at least once: what a process took with it into death, and what
it gave back, is delivered again. A dead worker is replaced, as a cloud does.
"""

import os
import random
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from houses import TIMER, House, batch
from kycourier_devkit.errors import FunctionProblem
from kycourier_devkit.functions.process import FunctionProcess

GRACE_SECONDS = 2.0  # by which an order's lease outlasts its holder
IDLE_SECONDS = 0.02


def invoke_patiently(
    process: FunctionProcess, event: object, *, limit: float, patience: float
) -> Any:
    """Invoke with `limit` seconds to live, and do not end it at once when it is late.

    So does a cloud that froze a process with what it runs.
    """
    with process._turn:
        process._wait_until_ready(60)
        request = {"request_id": "1", "limit_ms": limit * 1000, "event": event}
        return process._exchange(request, limit + patience)


class Feed:
    """Messages by the moment they are sent; threads take and give back."""

    def __init__(self, orders: Iterable[str], draw: random.Random, *, over: float):
        begun = time.monotonic()
        self._due = sorted((begun + draw.uniform(0, over), each) for each in orders)
        self._due.reverse()  # the next one last
        self._back: deque[str] = deque()
        self._lock, self._out = threading.Lock(), 0
        self.delivered = 0

    def take(self, most: int) -> list[str]:
        with self._lock:
            taken: list[str] = []
            while len(taken) < most:
                if self._back:
                    taken.append(self._back.popleft())
                elif self._due and self._due[-1][0] <= time.monotonic():
                    taken.append(self._due.pop()[1])
                else:
                    break
            self._out += len(taken)
            self.delivered += len(taken)
            return taken

    def end(self, taken: list[str], *, back: Iterable[str]) -> None:
        with self._lock:
            self._out -= len(taken)
            self._back.extend(back)

    @property
    def is_empty(self) -> bool:
        with self._lock:
            return not (self._due or self._back or self._out)


class Worker:
    """One function, in one process after the other, called again and again."""

    def __init__(self, house: House, name: str, *, limit: float, patience: float):
        self._house, self.name = house, name
        self.limit, self._patience = limit, patience
        self.process = house.start(name)
        self.busy = threading.Event()
        self.counts: Counter[str] = Counter()

    def invoke(self, event: object) -> Any:
        """Give the answer, or nothing when there was none."""
        self.busy.set()
        try:
            reply = invoke_patiently(
                self.process, event, limit=self.limit, patience=self._patience
            )
        except FunctionProblem:
            self.counts["died at work"] += 1
            self.process.kill()
            self.process = self._house.start(self.name)
            return None
        finally:
            self.busy.clear()
        self.counts["failed"] += "error" in reply
        return reply.get("answer")


class Fleet:
    """Collectors on a feed, a sweep and a refresher on timers, within the block."""

    def __init__(
        self,
        house: House,
        feed: Feed,
        *,
        collectors: int,
        limit: float,
        patience: float,
        most: int = 4,
    ) -> None:
        def hire(name: str) -> Worker:
            return Worker(house, name, limit=limit, patience=patience)

        self._feed, self._most = feed, most
        self._stop, self._thawers = threading.Event(), list[threading.Thread]()
        self.sweep, self.refresher = hire("sweep_orders"), hire("refresh_ticket")
        collectors_ = [hire("collect_results") for _ in range(collectors)]
        self.workers = [*collectors_, self.sweep, self.refresher]
        jobs: list[tuple[Callable[[Worker], None], Worker]] = [
            (self._collect, each) for each in collectors_
        ]
        jobs += [(self._tick, self.sweep), (self._tick, self.refresher)]
        self._threads = [
            threading.Thread(target=self._until_stopped, args=job, daemon=True)
            for job in jobs
        ]

    def __enter__(self) -> "Fleet":  # noqa: PYI034 - Self came with 3.11
        for worker in self.workers:
            worker.process.wait_until_ready()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in [*self._thawers, *self._threads]:
            thread.join()
        for worker in self.workers:
            worker.process.close()

    def count(self, what: str) -> int:
        return sum(worker.counts[what] for worker in self.workers)

    def kill(self, worker: Worker) -> None:
        """End a process at once, in the middle of whatever it does."""
        worker.counts["killed"] += 1
        worker.process.kill()

    def freeze(self, worker: Worker, *, seconds: float) -> None:
        """Stop a process, and let it go on later as if nothing had been."""
        worker.counts["frozen"] += 1
        pid = worker.process.pid
        if not _signal(pid, signal.SIGSTOP):
            return

        def thaw() -> None:
            self._stop.wait(seconds)
            _signal(pid, signal.SIGCONT)

        self._thawers.append(threading.Thread(target=thaw, daemon=True))
        self._thawers[-1].start()

    def _until_stopped(self, work: Callable[[Worker], None], worker: Worker) -> None:
        while not self._stop.is_set():
            work(worker)

    def _collect(self, worker: Worker) -> None:
        orders = self._feed.take(self._most)
        if not orders:
            time.sleep(IDLE_SECONDS)
            return
        answer = worker.invoke(batch(*orders))
        back = orders
        if answer is not None:
            ids = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
            back = [order for at, order in enumerate(orders) if f"m{at}" in ids]
        self._feed.end(orders, back=back)

    def _tick(self, worker: Worker) -> None:
        worker.invoke(TIMER)
        self._stop.wait(0.5)


def storm(
    fleet: Fleet,
    draw: random.Random,
    *,
    until: Callable[[], bool],
    every: tuple[float, float],
    lease: float,
    frozen: float,
) -> None:
    """Kill or freeze whoever is drawn, those at work rather; a share `frozen` of them.

    What is frozen stays so until its lease has ended.
    """
    while not until():
        time.sleep(draw.uniform(*every))
        busy = [each for each in fleet.workers if each.busy.is_set()]
        worker = draw.choice(busy or fleet.workers)
        if draw.random() < frozen:
            fleet.freeze(worker, seconds=lease + draw.uniform(0, 2))
        else:
            fleet.kill(worker)


@contextmanager
def stopped(process: FunctionProcess) -> Iterator[None]:
    """Freeze a process for the block."""
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(process.pid, signal.SIGCONT)


def _signal(pid: int, number: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def wait_until(
    holds: Callable[[], object], *, seconds: float, what: str | Callable[[], str]
) -> None:
    """Wait for a fact; a bound against a hang, not a measure."""
    ends_at = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends_at:
            pytest.fail(
                f"not within {seconds:g} s: {what() if callable(what) else what}"
            )
        time.sleep(IDLE_SECONDS)

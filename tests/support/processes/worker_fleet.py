"""Runs workers of one app on the real function files, and kills or freezes them.

Messages are delivered at least once: those of a killed process, and those that a
function returned as failures, are delivered again. A killed worker is replaced.
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

from kycourier_devkit.emulators.local_runtime.process import FunctionProcess
from kycourier_devkit.errors import FunctionError
from support.processes.service_rig import TIMER_EVENT, ServiceRig, queue_batch

LEASE_GRACE_SECONDS = 2.0  # an order's lease outlasts its holder by this
IDLE_SECONDS = 0.02
BATCH = 4
FREEZE_SHARE = 0.25  # the other failures are kills


def invoke_with_grace(
    process: FunctionProcess, event: object, *, limit: float, patience: float
) -> Any:
    """Invoke with a time limit of `limit` s; kill the process `patience` s after it.

    A cloud that froze a process in mid-invocation does so too.
    """
    with process._lock:
        process._wait_until_ready(60)
        request = {"request_id": "1", "limit_ms": limit * 1000, "event": event}
        return process._exchange(request, limit + patience)


class MessageFeed:
    """An at-least-once queue of order numbers, each sent at a random moment."""

    def __init__(self, orders: Iterable[str], draw: random.Random, *, over: float):
        begun = time.monotonic()
        self._due = sorted((begun + draw.uniform(0, over), each) for each in orders)
        self._due.reverse()  # pop() takes the earliest
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
    """Invokes one function repeatedly, and restarts its process when that died."""

    def __init__(
        self, service_rig: ServiceRig, name: str, *, limit: float, patience: float
    ):
        self._service_rig, self.name = service_rig, name
        self.limit, self._patience = limit, patience
        self.process = service_rig.start(name)
        self.busy = threading.Event()
        self.counts: Counter[str] = Counter()

    def invoke(self, event: object) -> Any:
        """Return the function's response, None if its process died."""
        self.busy.set()
        try:
            reply = invoke_with_grace(
                self.process, event, limit=self.limit, patience=self._patience
            )
        except FunctionError:
            self.counts["died while busy"] += 1
            self.process.kill()
            self.process = self._service_rig.start(self.name)
            return None
        finally:
            self.busy.clear()
        self.counts["failed"] += "error" in reply
        return reply.get("response")


class WorkerFleet:
    """Collectors on a feed, a sweeper and a refresher on timers; a context manager."""

    def __init__(
        self,
        service_rig: ServiceRig,
        feed: MessageFeed,
        *,
        collectors: int,
        limit: float,
        patience: float,
    ) -> None:
        def start(name: str) -> Worker:
            return Worker(service_rig, name, limit=limit, patience=patience)

        self._feed, self._stop = feed, threading.Event()
        self._thawers: list[threading.Thread] = []
        self.sweep, self.refresher = start("sweep_orders"), start("refresh_ticket")
        collectors_ = [start("collect_results") for _ in range(collectors)]
        self.workers = [*collectors_, self.sweep, self.refresher]
        jobs: list[tuple[Callable[[Worker], None], Worker]] = [
            (self._collect, each) for each in collectors_
        ]
        jobs += [(self._tick, self.sweep), (self._tick, self.refresher)]
        self._threads = [
            threading.Thread(target=self._until_stopped, args=job, daemon=True)
            for job in jobs
        ]

    def __enter__(self) -> "WorkerFleet":  # noqa: PYI034 - Self came with 3.11
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
        """Kill a worker's process, whatever it is doing."""
        worker.counts["killed"] += 1
        worker.process.kill()

    def freeze(self, worker: Worker, *, seconds: float) -> None:
        """Stop a worker's process for `seconds`, then continue it."""
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
        orders = self._feed.take(BATCH)
        if not orders:
            time.sleep(IDLE_SECONDS)
            return
        response = worker.invoke(queue_batch(*orders))
        back = orders
        if response is not None:
            ids = {each["itemIdentifier"] for each in response["batchItemFailures"]}
            back = [order for at, order in enumerate(orders) if f"m{at}" in ids]
        self._feed.end(orders, back=back)

    def _tick(self, worker: Worker) -> None:
        worker.invoke(TIMER_EVENT)
        self._stop.wait(0.5)


def inject_failures(
    fleet: WorkerFleet,
    draw: random.Random,
    *,
    seconds: float,
    lease: float,
) -> None:
    """Kill or freeze random workers, busy ones first; a freeze outlasts `lease` s."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        time.sleep(draw.uniform(0.1, 0.4))
        busy = [each for each in fleet.workers if each.busy.is_set()]
        worker = draw.choice(busy or fleet.workers)
        if draw.random() < FREEZE_SHARE:
            fleet.freeze(worker, seconds=lease + draw.uniform(0, 2))
        else:
            fleet.kill(worker)


@contextmanager
def frozen(process: FunctionProcess) -> Iterator[None]:
    """Stop a process for the block."""
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
    """Wait until a condition holds; `seconds` only bounds a hang."""
    ends_at = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends_at:
            pytest.fail(
                f"not within {seconds:g} s: {what() if callable(what) else what}"
            )
        time.sleep(IDLE_SECONDS)

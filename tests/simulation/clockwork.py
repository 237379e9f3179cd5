"""Simulated time: tasks that take turns on one thread, and machines that may stop.

A task is ordinary blocking code on a greenlet; `pause` is the only place where it lets
others run. Nothing here reads a clock, sleeps or starts a thread.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import TypeVar

from greenlet import getcurrent, greenlet

from kycourier.core.errors import OutOfTime
from kycourier.usecases.side_by_side import LEAST_SECONDS, RETURN_SECONDS
from kycourier.usecases.time_left import TimeLeft

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
T = TypeVar("T")
R = TypeVar("R")


class Crash(BaseException):
    """The machine is gone: nothing of it goes on, not even its `finally`."""


class Clockwork:
    """What happens next, and when: `now` is the true time in seconds since START."""

    def __init__(self) -> None:
        self.now = 0.0
        self._next: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = count()
        self._hub = getcurrent()

    def at(self, when: float, act: Callable[[], object]) -> None:
        """Have something done at a moment, or at once if it has passed."""
        heapq.heappush(self._next, (max(when, self.now), next(self._numbers), act))

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        self.at(self.now + seconds, act)

    def start(self, work: Callable[[], object], machine: "Machine | None") -> None:
        """Begin a task of a machine, or of the world outside."""

        def run() -> None:
            try:
                work()
            except Crash:
                return

        task = greenlet(run, parent=self._hub)
        task.wake = lambda: self.at(self.now, lambda: self._resume(task, machine))
        self.at(self.now, lambda: self._resume(task, machine))

    def pause(self, seconds: float, machine: "Machine | None") -> None:
        """Let this task's time pass. Raises Crash once its machine is gone."""
        if machine is not None and machine.is_gone:
            raise Crash
        task = getcurrent()
        self.after(seconds, lambda: self._resume(task, machine))
        self._hub.switch()

    def run(self, is_over: Callable[[], bool]) -> None:
        """Do what comes next until it is over or nothing comes any more."""
        while self._next and not is_over():
            self.now, _, act = heapq.heappop(self._next)
            act()

    def _resume(self, task: greenlet, machine: "Machine | None") -> None:
        if machine is None:
            task.switch()
        elif machine.is_gone:
            if task:  # else it never began
                task.throw(Crash)
        elif machine.thaws_at > self.now:
            self.at(machine.thaws_at, lambda: self._resume(task, machine))
        else:
            task.switch()

    def instant(self, *, skew: float = 0.0) -> datetime:
        """Tell the time as a clock shows it that is wrong by `skew` seconds."""
        return START + timedelta(seconds=self.now + skew)


class Machine:
    """One process of a function: it may freeze, thaw and die, its clocks be wrong."""

    def __init__(self, name: str, clockwork: Clockwork) -> None:
        self.name, self._clockwork = name, clockwork
        self.is_gone = False
        self.thaws_at = 0.0
        self.froze_last_at = -1.0
        self.skew = 0.0
        self.monotonic_stops = False
        self.ends_at = float("inf")
        self.idle_from: float | None = None
        self._lost = 0.0

    def die(self) -> None:
        self.is_gone = True

    def freeze(self, seconds: float) -> None:
        """Stop for a while; the monotonic clock may stop as well."""
        self.froze_last_at = self._clockwork.now
        self.thaws_at = max(self.thaws_at, self._clockwork.now + seconds)
        if self.monotonic_stops:
            self._lost += seconds

    def wake(self) -> None:
        """Go on after an idle time, which the monotonic clock may not have seen."""
        if self.monotonic_stops and self.idle_from is not None:
            self._lost += self._clockwork.now - self.idle_from
        self.idle_from = None

    @property
    def is_frozen(self) -> bool:
        return self.thaws_at > self._clockwork.now

    def seconds_left(self) -> float:
        """Tell how long its invocation may still last."""
        return self.ends_at - self._clockwork.now

    def now(self) -> datetime:
        return self._clockwork.instant(skew=self.skew)

    def monotonic(self) -> float:
        return 1000.0 + self._clockwork.now - self._lost

    def sleep(self, seconds: float) -> None:
        self._clockwork.pause(seconds, self)


class StoreClock:
    """The store's own clock, true to the second."""

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork

    def now(self) -> datetime:
        return self._clockwork.instant()

    def seconds(self) -> float:
        return self._clockwork.now


class Lanes:
    """`SideBySide` on simulated time: so many items at once, and no late one."""

    def __init__(self, machine: Machine, clockwork: Clockwork, *, most: int) -> None:
        self._machine, self._clockwork, self._most = machine, clockwork, most

    def run(
        self,
        work: Callable[[T, TimeLeft], R],
        items: Iterable[T],
        time_left: TimeLeft,
    ) -> list[Future[R]]:
        patience = max(time_left.seconds() - RETURN_SECONDS, LEAST_SECONDS)
        return self._run(
            lambda item: work(item, time_left), items, self._most, patience
        )

    def run_all(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """Run all at once, and wait until the last has come back."""
        return [each.result() for each in self._run(work, items, len(items), None)]

    def _run(
        self,
        work: Callable[[T], R],
        items: Iterable[T],
        most: int,
        patience: float | None,
    ) -> list[Future[R]]:
        todo = [(item, Future[R]()) for item in items]
        futures = [future for _, future in todo]
        todo.reverse()
        running, is_waiting, wake_up = 0, True, getcurrent().wake

        def wake() -> None:
            nonlocal is_waiting
            if is_waiting:
                is_waiting = False
                wake_up()

        def lane() -> None:
            nonlocal running
            while todo:
                item, future = todo.pop()
                try:
                    future.set_result(work(item))
                except Exception as error:  # noqa: BLE001 - as a pool keeps it
                    future.set_exception(error)
            running -= 1
            if not running:
                wake()

        for _ in range(min(most, len(todo))):
            running += 1
            self._clockwork.start(lane, self._machine)
        if running:
            if patience is not None:
                self._clockwork.after(patience, wake)
            wait_until_woken()
            todo.clear()
        return [each if each.done() else _given_up() for each in futures]


def _given_up() -> Future[R]:
    future: Future[R] = Future()
    future.set_exception(OutOfTime("hangs"))
    return future


def wait_until_woken() -> None:
    """Let others run until somebody calls this task's `wake`."""
    getcurrent().parent.switch()


class TurnLock:
    """`threading.Lock` for tasks that take turns on one thread."""

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: list[Callable[[], None]] = []

    def acquire(self, *, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; who holds it comes to an end, so that no `timeout` is needed."""
        del timeout
        while self._is_held:
            if not blocking:
                return False
            self._waiting.append(getcurrent().wake)
            wait_until_woken()
        self._is_held = True
        return True

    def release(self) -> None:
        self._is_held = False
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            wake()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

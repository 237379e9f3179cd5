"""Schedules blocking code as cooperative tasks on virtual time, on one thread.

A task is a greenlet; `pause` is the only place where it lets other tasks run. Nothing
here reads a clock, sleeps or starts a thread.
"""

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Protocol

from greenlet import getcurrent, greenlet

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class CrashError(BaseException):
    """Unwinds a task whose machine is dead. No handler of the service catches it."""


class Host(Protocol):
    """What the scheduler needs to know of the machine that a task runs on."""

    is_dead: bool
    thaws_at: float


class Scheduler:
    """Runs callbacks in order of time; `now` is in seconds since START."""

    def __init__(self) -> None:
        self.now = 0.0
        self._callbacks: list[tuple[float, int, Callable[[], object]]] = []
        self._sequence = count()
        self._main = getcurrent()

    def at(self, when: float, callback: Callable[[], object]) -> None:
        """Schedule a callback at a time, or now if that time has passed."""
        entry = (max(when, self.now), next(self._sequence), callback)
        heapq.heappush(self._callbacks, entry)

    def after(self, seconds: float, callback: Callable[[], object]) -> None:
        self.at(self.now + seconds, callback)

    def start(self, work: Callable[[], object], machine: Host | None) -> None:
        """Start a task on a machine, or outside of all machines."""

        def run() -> None:
            try:
                work()
            except CrashError:
                return

        task = greenlet(run, parent=self._main)
        task.wake = lambda: self.at(self.now, lambda: self._resume(task, machine))
        self.at(self.now, lambda: self._resume(task, machine))

    def pause(self, seconds: float, machine: Host | None) -> None:
        """Suspend this task. Raises CrashError if its machine is dead."""
        if machine is not None and machine.is_dead:
            raise CrashError
        task = getcurrent()
        self.after(seconds, lambda: self._resume(task, machine))
        self._main.switch()

    def run(self, is_over: Callable[[], bool]) -> None:
        """Run callbacks until `is_over`, or until none is left."""
        while self._callbacks and not is_over():
            self.now, _, callback = heapq.heappop(self._callbacks)
            callback()

    def _resume(self, task: greenlet, machine: Host | None) -> None:
        if machine is None:
            task.switch()
        elif machine.is_dead:
            if task:  # else it never began
                task.throw(CrashError)
        elif machine.thaws_at > self.now:
            self.at(machine.thaws_at, lambda: self._resume(task, machine))
        else:
            task.switch()

    def wall_time(self, *, skew: float = 0.0) -> datetime:
        """Return the time on a wall clock that is wrong by `skew` seconds."""
        return START + timedelta(seconds=self.now + skew)


def wait_until_woken() -> None:
    """Suspend this task until its `wake` is called."""
    getcurrent().parent.switch()


class CooperativeLock:
    """`threading.Lock` for tasks."""

    def __init__(self) -> None:
        self._is_held = False
        self._waiting: list[Callable[[], None]] = []

    def acquire(self, *, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock. Each holder releases it, so that no `timeout` is needed."""
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

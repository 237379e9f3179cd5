"""Machines whose processes freeze, thaw and die, and the clocks that they read."""

from datetime import datetime

from simulation.engine.scheduler import Scheduler


class Machine:
    """One process of a function, with its wall clock and its monotonic clock."""

    def __init__(self, name: str, scheduler: Scheduler) -> None:
        self.name, self._scheduler = name, scheduler
        self.is_dead = False
        self.thaws_at = 0.0
        self.last_frozen_at = -1.0
        self.skew = 0.0
        self.monotonic_stops = False
        self.invocation_ends_at = float("inf")
        self.idle_since: float | None = None
        self._unmeasured_seconds = 0.0

    def die(self) -> None:
        self.is_dead = True

    def freeze(self, seconds: float) -> None:
        """Stop for a while; the monotonic clock may stop as well."""
        self.last_frozen_at = self._scheduler.now
        self.thaws_at = max(self.thaws_at, self._scheduler.now + seconds)
        if self.monotonic_stops:
            self._unmeasured_seconds += seconds

    def wake(self) -> None:
        """Resume after an idle time, which the monotonic clock may not measure."""
        if self.monotonic_stops and self.idle_since is not None:
            self._unmeasured_seconds += self._scheduler.now - self.idle_since
        self.idle_since = None

    @property
    def is_frozen(self) -> bool:
        return self.thaws_at > self._scheduler.now

    def seconds_left(self) -> float:
        """Return how long its invocation may still last."""
        return self.invocation_ends_at - self._scheduler.now

    def now(self) -> datetime:
        return self._scheduler.wall_time(skew=self.skew)

    def monotonic(self) -> float:
        return 1000.0 + self._scheduler.now - self._unmeasured_seconds

    def sleep(self, seconds: float) -> None:
        self._scheduler.pause(seconds, self)


class StoreClock:
    """The clock of the stores, which is always right."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> datetime:
        return self._scheduler.wall_time()

    def seconds(self) -> float:
        return self._scheduler.now

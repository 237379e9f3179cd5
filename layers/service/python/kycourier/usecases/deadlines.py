"""How long an invocation may still work, and how long ago something happened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from kycourier.core.timing import CALL_RESERVE_SECONDS, START_MIN_SECONDS
from kycourier.ports import Clock


class SharedTime:
    """The time during which at least one thread was at some work."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic, self._lock = monotonic, Lock()
        self._running, self._since, self._spent = 0, 0.0, 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts the time of the block."""
        with self._lock:
            if self._running == 0:
                self._since = self._monotonic()
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if self._running == 0:
                    self._spent += self._monotonic() - self._since

    def seconds(self) -> float:
        """Returns how much time was spent up to now."""
        with self._lock:
            current = self._monotonic() - self._since if self._running else 0.0
            return self._spent + current


class Deadline:
    """An instant on the monotonic clock.

    `deliveries` is the time that webhooks have taken of the invocation.
    """

    def __init__(
        self,
        monotonic: Callable[[], float],
        *,
        seconds: float,
        deliveries: SharedTime | None = None,
    ) -> None:
        self._monotonic = monotonic
        self._ends_at = monotonic() + seconds
        self.deliveries = deliveries or SharedTime(monotonic)

    def seconds(self) -> float:
        """Returns how much time is left; negative once it has passed."""
        return self._ends_at - self._monotonic()

    def is_short(self, *, for_seconds: float = 0) -> bool:
        """Checks whether work that takes `for_seconds` must no longer start."""
        return self.seconds() - for_seconds < START_MIN_SECONDS

    def capped(self, seconds: float) -> "Deadline":
        """Returns a deadline at most `seconds` away."""
        return self._ending_in(min(seconds, self.seconds()))

    def minus(self, *, seconds: float) -> "Deadline":
        """Returns a deadline that is `seconds` earlier, for what must follow."""
        return self._ending_in(self.seconds() - seconds)

    def _ending_in(self, seconds: float) -> "Deadline":
        return Deadline(self._monotonic, seconds=seconds, deliveries=self.deliveries)

    def for_call(self, seconds: float) -> float:
        """Returns a call's time limit: `seconds`, or what is left less a reserve."""
        return min(seconds, self.seconds() - CALL_RESERVE_SECONDS)


class Stopwatch:
    """A moment in this process; a clock that is set back or frozen hides no time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._monotonic = clock.now(), clock.monotonic()

    def seconds(self) -> float:
        """Returns how long ago it was: the larger of what the two clocks show."""
        by_wall = (self._clock.now() - self._wall).total_seconds()
        return max(by_wall, self._clock.monotonic() - self._monotonic)

"""How long an invocation may still work, and how long ago something happened."""

from collections.abc import Callable

from kycourier.core.timing import CALL_RESERVE_SECONDS, START_MIN_SECONDS
from kycourier.ports import Clock


class Deadline:
    """An instant on the monotonic clock."""

    def __init__(self, monotonic: Callable[[], float], *, seconds: float) -> None:
        self._monotonic = monotonic
        self._ends_at = monotonic() + seconds

    def seconds(self) -> float:
        """Returns how much time is left; negative once it has passed."""
        return self._ends_at - self._monotonic()

    def is_short(self, *, for_seconds: float = 0) -> bool:
        """Checks whether work that takes `for_seconds` must no longer start."""
        return self.seconds() - for_seconds < START_MIN_SECONDS

    def capped(self, seconds: float) -> "Deadline":
        """Returns a deadline at most `seconds` away."""
        return Deadline(self._monotonic, seconds=min(seconds, self.seconds()))

    def minus(self, *, seconds: float) -> "Deadline":
        """Returns a deadline that is `seconds` earlier, for what must follow."""
        return Deadline(self._monotonic, seconds=self.seconds() - seconds)

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

"""How long an invocation may still work."""

from collections.abc import Callable

LEAST_SECONDS = 2.0


class TimeLeft:
    """A deadline on the monotonic clock."""

    def __init__(self, monotonic: Callable[[], float], *, seconds: float) -> None:
        self._monotonic = monotonic
        self._ends_at = monotonic() + seconds

    def seconds(self) -> float:
        """How much is left; below zero when it is over."""
        return self._ends_at - self._monotonic()

    def is_short(self, *, for_seconds: float = 0) -> bool:
        """Tell whether nothing more may begin (that takes `for_seconds`)."""
        return self.seconds() - for_seconds < LEAST_SECONDS

    def at_most(self, seconds: float) -> "TimeLeft":
        """Give a deadline no later than this one."""
        return TimeLeft(self._monotonic, seconds=min(seconds, self.seconds()))

    def but(self, *, seconds: float) -> "TimeLeft":
        """Give a deadline so much earlier, for what must come after."""
        return TimeLeft(self._monotonic, seconds=self.seconds() - seconds)

    def for_call(self, seconds: float) -> float:
        """Give one upstream call's deadline: `seconds`, or what is left less 1 s."""
        return min(seconds, self.seconds() - 1)

"""How long ago something was, by the earlier of two clocks."""

from kycourier.ports import Clock


class Since:
    """A moment in this process. A clock set back, or one that froze, hides no time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._ticks = clock.now(), clock.monotonic()

    def seconds(self) -> float:
        """Tell how long ago it was: what either clock says, if it is more."""
        by_wall = (self._clock.now() - self._wall).total_seconds()
        return max(by_wall, self._clock.monotonic() - self._ticks)

"""Judges that the whole fleet keeps to the app's pause: I8."""

from kycourier.core.brake import Phase, phase
from simulation.gate import Call
from simulation.stores import Stores
from simulation.verdict import Verdict
from worlds import APP

# What began before a pause goes on: 2 s until it is seen, 5 s for a ticket, the calls.
BEGUN_SECONDS = 12.0


class BrakeJudge:
    """Knows since when the app is paused."""

    def __init__(self, verdict: Verdict, stores: Stores) -> None:
        self._verdict, self._stores = verdict, stores
        self._paused_since: float | None = None

    def note(self) -> None:
        """Keep when a pause began."""
        if not self._is_paused():
            self._paused_since = None
        elif self._paused_since is None:
            self._paused_since = self._now()

    def judge_query(self, call: Call) -> None:
        """Judge a query that is about to be sent."""
        if not self._is_paused():
            self._paused_since = None
            return
        assert self._paused_since is not None
        long = self._now() - self._paused_since > BEGUN_SECONDS
        froze = call.machine.froze_last_at >= self._paused_since - BEGUN_SECONDS
        if long and not froze:
            told = f"{call.machine.name} asks though the app is paused"
            self._verdict.violate("I8", told)

    def _is_paused(self) -> bool:
        brake = self._stores.brakes.load(APP)
        return phase(brake, now=self._stores.clock.now()) is Phase.PAUSED

    def _now(self) -> float:
        return self._stores.clock.seconds()

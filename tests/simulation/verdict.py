"""What a run came to so far: its first violation, and how often each state was seen."""

from collections import Counter
from dataclasses import dataclass

from simulation.clockwork import Clockwork


@dataclass(frozen=True)
class Violation:
    """An invariant that did not hold: which, how, and when (simulated seconds)."""

    invariant: str
    what: str
    at: float


class Verdict:
    """The first `violation` ends a run; `seen` counts rare states and facts told."""

    def __init__(self, clockwork: Clockwork) -> None:
        self._clockwork = clockwork
        self.violation: Violation | None = None
        self.seen: Counter[str] = Counter()

    def violate(self, invariant: str, what: str) -> None:
        if self.violation is None:
            self.violation = Violation(invariant, what, self._clockwork.now)

    def see(self, state: str) -> None:
        self.seen[state] += 1

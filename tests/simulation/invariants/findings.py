"""Records the first violation of a run, and the states that it reached."""

from collections import Counter
from dataclasses import dataclass

from simulation.engine.scheduler import Scheduler


@dataclass(frozen=True)
class Violation:
    """A violated invariant: which, how, and when (in virtual seconds)."""

    invariant: str
    what: str
    at: float


class Findings:
    """The first `violation` of a run, and the count of each state and log event."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.violation: Violation | None = None
        self.observed: Counter[str] = Counter()

    def report(self, invariant: str, what: str) -> None:
        if self.violation is None:
            self.violation = Violation(invariant, what, self._scheduler.now)

    def observe(self, state: str) -> None:
        self.observed[state] += 1

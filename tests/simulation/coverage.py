"""The coverage of many runs: which faults were injected, which states were reached."""

from collections import Counter
from dataclasses import dataclass, field

from simulation.engine.run import RunReport
from simulation.faults import FAULTS

RARE_STATES = (
    "stale_owner_refused", "outbox re-sent", "superseded pair used within the minute",
    "expired lease taken over", "ticket_save_refused", "forced refresh",
    "half-open call", "result_conflict", "orphan reported", "issued pair lost",
    "rows_unreadable", "app resumed by an operator", "parked order reopened",
    "batch redelivered", "evidence_conflict", "enqueue_failed",
    "API returned 202", "dead letter redriven",
    "event resent by an operator", "sealed result opened",
    "id_card with evidence", "face with evidence",
)  # fmt: skip


@dataclass
class Coverage:
    """The sum of run reports."""

    runs: int = 0
    calls: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    observed: Counter[str] = field(default_factory=Counter)

    def add(self, report: RunReport) -> None:
        self.runs += 1
        self.calls += report.calls
        self.injected.update(name for name in report.injected if name.isdigit())
        self.observed.update(report.observed.keys())

    def merge(self, other: "Coverage") -> None:
        self.runs += other.runs
        self.calls += other.calls
        self.injected.update(other.injected)
        self.observed.update(other.observed)

    def missing(self) -> list[str]:
        """Return the faults and rare states that never occurred."""
        faults = [f"fault {n}" for n in FAULTS if not self.injected[str(n)]]
        return faults + [state for state in RARE_STATES if not self.observed[state]]

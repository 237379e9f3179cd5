"""What many runs came to: how many, which faults were met, which rare states seen."""

from collections import Counter
from dataclasses import dataclass, field

from simulation.faults import FAULTS
from simulation.run import Report

RARE = (  # the states that a run may claim to have tried
    "stale_owner_refused", "outbox re-sent", "old pair used inside the minute",
    "lease taken after its end", "ticket_save_refused", "forced refresh", "trial call",
    "result_conflict", "orphan reported", "a bought pair was lost", "rows_unreadable",
    "app resumed by a person",
    "parked order reopened", "batch again", "evidence_conflict", "work_not_enqueued",
    "API answered 202", "dead letter redriven",
)  # fmt: skip


@dataclass
class Tally:
    """Adds up reports; `missing` names what never happened."""

    runs: int = 0
    calls: int = 0
    met: Counter[str] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, report: Report) -> None:
        self.runs += 1
        self.calls += report.calls
        self.met.update(name for name in report.met if name.isdigit())
        self.seen.update(report.seen.keys())

    def merge(self, other: "Tally") -> None:
        self.runs += other.runs
        self.calls += other.calls
        self.met.update(other.met)
        self.seen.update(other.seen)

    def missing(self) -> list[str]:
        faults = [f"fault {n}" for n in FAULTS if not self.met[str(n)]]
        return faults + [state for state in RARE if not self.seen[state]]

"""Defines what is read of one cause: the printed lines of each place, or a reason."""

import re
from dataclasses import dataclass

from kycourier.core.causes import Cause

PLACES = ("show", "serve", "doctor", "log event", "alarm")


@dataclass(frozen=True)
class Cell:
    """What one place printed.

    `word` is what it must contain. Where a place cannot name the cause, `word` is None
    or names something else, and `why_not` is the reason. Without `rings` no alarm is on
    any of the metrics.
    """

    lines: tuple[str, ...]
    word: str | None
    why_not: str = ""
    rings: bool = True

    def find_fault(self) -> str | None:
        """Returns why the place does not do what it must; None if it does."""
        if self.word is None:
            return None if self.why_not else "neither a word nor a reason"
        text = "\n".join(self.lines)
        if not re.search(rf"(?<![A-Za-z_]){re.escape(self.word)}(?![a-z_])", text):
            return f"{self.word} is not in {text!r}"
        return None if self.rings else f"no alarm: {text!r}"

    def __str__(self) -> str:
        lines = [f"`{line.replace('`', chr(39))}`" for line in self.lines]
        return "<br>".join([*lines, *filter(None, [self.why_not])])


@dataclass(frozen=True)
class Observation:
    """One cause, what brought it about, and what each place printed."""

    cause: Cause
    brought_about_by: str
    cells: dict[str, Cell]

    def find_faults(self) -> list[str]:
        """Returns each place that does not name the cause, and why."""
        missing = [place for place in PLACES if place not in self.cells]
        faults = {place: cell.find_fault() for place, cell in self.cells.items()}
        return [
            *(f"{self.cause.value}: {place} was not read" for place in missing),
            *(f"{self.cause.value}: {at}: {why}" for at, why in faults.items() if why),
        ]

    def row(self) -> str:
        """Returns the row of the page's table."""
        cells = [str(self.cells[place]).replace("|", "\\|") for place in PLACES]
        head = f"`{self.cause.value}`"
        return f"| {' | '.join([head, self.brought_about_by, *cells])} |"


_VOLATILE = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME"),
    (r"\d\d:\d\d:\d\d", "TIME"),
    (r"event \w{8}", "event ID"),
    (r"\d{6}\*+\d{4}", "CARD"),
    (r"attempts \d+", "attempts N"),
    (r"calls pause for [\d.]+ s", "calls pause for N s"),
    (r"failing for \d+ min", "failing for N min"),
    (r", \d+ times in a row", ""),
    (r" {2,}", "  "),
)


def normalize(line: str) -> str:
    """Replaces what differs between two runs: times, ids, counts, ports."""
    for pattern, replacement in _VOLATILE:
        line = re.sub(pattern, replacement, line)
    return line.strip()

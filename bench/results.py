"""What one whole run came to, as it is kept in results.json and shown."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.figures import Figure, Report

FILE = Path(__file__).with_name("results.json")


class Results(Struct, frozen=True, kw_only=True):
    """A run: when, on what, and all figures. `remarks` are sentences of a person's."""

    date: str
    machine: str
    load_at_start: float
    seconds: int
    versions: Mapping[str, str]
    stand_ins: Mapping[str, Mapping[str, float]]
    reports: Sequence[Report]
    remarks: Sequence[str] = ()


def write_results(results: Results, file: Path = FILE) -> None:
    """Keep a run, indented, one sample after another on a line."""
    text = msgspec.json.format(msgspec.json.encode(results), indent=1)
    file.write_bytes(text + b"\n")


def read_results(file: Path = FILE) -> Results:
    """Read the run that is kept."""
    return msgspec.json.decode(file.read_bytes(), type=Results)


Row = tuple[str, str, str, str, str]
MOST_ROWS = 12


def rows_of(report: Report) -> list[Row]:
    """Spell what a goal decides on: label, measured, interval, goal, held or short.

    Figures by the dozen are one row, and one more for each that fell short.
    """
    decided = [figure for figure in report.figures if figure.goal is not None]
    if len(decided) <= MOST_ROWS:
        return [_row(figure) for figure in decided]
    short = [figure for figure in decided if not figure.holds]
    told = f"{len(decided) - len(short)} of {len(decided)}"
    row = ("counts as they were, or less", told, "", "all", verdict(holds=not short))
    return [row, *map(_row, short)]


def _row(figure: Figure) -> Row:
    interval = "–".join(map(spell, figure.interval)) if figure.interval else ""
    held = verdict(holds=figure.holds)
    measured, goal = spell_figure(figure)
    return figure.label, measured, interval, goal, held


def spell_figure(figure: Figure) -> tuple[str, str]:
    """Spell what was measured, and the goal."""
    unit = f" {figure.unit}" if figure.unit not in {"", "×"} else ""
    sign = "≥" if figure.at_least else "≤"
    return f"{spell(figure.measured)}{unit}", f"{sign} {figure.goal or 0:g}{unit}"


def verdict(*, holds: bool) -> str:
    """Say whether a goal was held."""
    return "held" if holds else "short"


def spell(value: float) -> str:
    """Spell a figure to three digits."""
    if value == int(value) or abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:.0f}"
    return f"{value:.3g}"


def last_line(reports: Sequence[Report]) -> str:
    """Say how many goals held, and name those that fell short."""
    short = [report.goal for report in reports if not report.holds]
    told = f"{len(reports) - len(short)} of {len(reports)} goals held"
    return f"{told}; short: {', '.join(short)}" if short else told

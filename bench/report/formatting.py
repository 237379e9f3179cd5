"""Formats figures as text, for the terminal, the page and the picture alike."""

from collections.abc import Sequence

from bench.measure.figures import Figure, GoalReport

MAX_ROWS = 12
Row = tuple[str, str, str, str, str]


def decided_rows(report: GoalReport) -> list[Row]:
    """Returns label, measured, interval, goal and verdict of each figure with a goal.

    More figures than `MAX_ROWS` become one row, and one more for each that missed.
    """
    decided = [figure for figure in report.figures if figure.goal is not None]
    if len(decided) <= MAX_ROWS:
        return [_row(figure) for figure in decided]
    missed = [figure for figure in decided if not figure.is_met]
    count = f"{len(decided) - len(missed)} of {len(decided)}"
    row = (
        "counts at most their baseline",
        count,
        "",
        "all",
        verdict(is_met=not missed),
    )
    return [row, *map(_row, missed)]


def _row(figure: Figure) -> Row:
    interval = "–".join(map(format_value, figure.interval)) if figure.interval else ""
    measured, goal = format_figure(figure)
    return figure.label, measured, interval, goal, verdict(is_met=figure.is_met)


def format_figure(figure: Figure) -> tuple[str, str]:
    """Returns the measured value and the goal."""
    unit = f" {figure.unit}" if figure.unit not in {"", "×"} else ""
    sign = "≥" if figure.at_least else "≤"
    return (
        f"{format_value(figure.measured)}{unit}",
        f"{sign} {figure.goal or 0:g}{unit}",
    )


def verdict(*, is_met: bool) -> str:
    """Returns whether a goal is met, in one word."""
    return "met" if is_met else "missed"


def format_value(value: float) -> str:
    """Returns a value with three digits."""
    if value == int(value) or abs(value) >= 100:  # noqa: PLR2004 - three digits
        return f"{value:.0f}"
    return f"{value:.3g}"


def summary_line(reports: Sequence[GoalReport]) -> str:
    """Returns how many goals were met, and which were missed."""
    missed = [report.goal for report in reports if not report.is_met]
    text = f"{len(reports) - len(missed)} of {len(reports)} goals met"
    return f"{text}; missed: {', '.join(missed)}" if missed else text

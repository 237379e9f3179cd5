"""Generates the results in docs/performance.md and its picture from results.json.

`python -m bench.report.page` rewrites both; a test checks that they are up to date.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.measure.figures import Figure, GoalReport
from bench.report.formatting import decided_rows, format_value
from bench.report.markers import replace_parts
from bench.report.picture import draw
from bench.report.results import Results, read_results

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PICTURE = DOCS / "performance.md", DOCS / "performance.svg"
GOALS_HEAD = "| Goal | | Measured | 95 % | Goal | |\n|---|---|---|---|---|---|"
DETAILS_HEAD = (
    "| | Details | Measured | Medians (interquartile range), in ms unless stated |"
    "\n|---|---|---|---|"
)
COUNTS_HEAD = "| G3: start of | Modules | Files | Compiled |\n|---|---|---|---|"
LIMITS_NOTE = (
    "An emulator that used less than one core was limited by its four callers."
)
LIMITS_HEAD = (
    "| Emulator, called by four threads | Calls/s | MB/s | Its cores | CPU ms a call |"
    "\n|---|---|---|---|---|"
)


def write_page(results: Results) -> None:
    """Rewrites the page and the picture."""
    PAGE.write_text(
        replace_parts(PAGE.read_text("utf-8"), build_parts(results)), "utf-8"
    )
    PICTURE.write_text(build_picture(results), "utf-8")


def build_picture(results: Results) -> str:
    """Returns the picture as SVG."""
    return draw(results.reports, title=f"Each figure beside its goal, {results.date}")


def build_parts(results: Results) -> dict[str, str]:
    """Returns the generated part by the name of its markers."""
    part = "\n\n".join(
        [
            _introduction(results),
            "\n".join([GOALS_HEAD, *_goals(results)]),
            "\n".join([DETAILS_HEAD, *_details(results)]),
            "\n".join([COUNTS_HEAD, *_counts(results)]),
            "\n".join([LIMITS_HEAD, *_limits(results)]),
            LIMITS_NOTE,
            "\n".join(_notes(results)),
        ]
    )
    return {"results": part}


def _introduction(results: Results) -> str:
    versions = ", ".join(f"{name} {at}" for name, at in results.versions.items())
    lines = [
        (
            f"Run of {results.date}, {results.seconds // 60} min"
            f" {results.seconds % 60} s, on {results.machine};"
            f" load {results.load_at_start} at its start."
        ),
        f"Versions: {versions}.",
        *results.remarks,
    ]
    return "\n".join(lines)


def _goals(results: Results) -> Iterator[str]:
    for report in results.reports:
        for at, row in enumerate(decided_rows(report)):
            label, measured, interval, goal, verdict = row
            what = f"{report.title}: {label}"
            shown = "met" if verdict == "met" else f"**{verdict}**"
            number = report.goal if at == 0 else ""
            yield f"| {number} | {what} | {measured} | {interval} | {goal} | {shown} |"


def _details(results: Results) -> Iterator[str]:
    for report in results.reports:
        for figure in report.figures:
            if figure.medians or (figure.goal is None and report.goal != "G3"):
                yield _detail_row(report, figure)


def _detail_row(report: GoalReport, figure: Figure) -> str:
    medians = "; ".join(
        f"{name} {format_value(median)}{_spread(figure, name)}"
        for name, median in figure.medians.items()
    )
    unit = f" {figure.unit}" if figure.unit not in {"", "×"} else ""
    measured = f"{format_value(figure.measured)}{unit}"
    return f"| {report.goal} | {figure.label} | {measured} | {medians} |"


def _spread(figure: Figure, name: str) -> str:
    """Returns the interquartile range, if there is one."""
    spread = figure.spreads.get(name)
    return "" if spread is None else f" ({format_value(spread)})"


def _counts(results: Results) -> Iterator[str]:
    """Returns one row for each function that was started."""
    rows: dict[str, list[str]] = {}
    for report in results.reports:
        for figure in report.figures if report.goal == "G3" else ():
            rows.setdefault(figure.label.rpartition(":")[0], []).append(
                format_value(figure.measured)
            )
    return (f"| {name} | {' | '.join(counts)} |" for name, counts in rows.items())


def _limits(results: Results) -> Iterator[str]:
    for name, limit in results.emulators.items():
        cells = " | ".join(map(format_value, limit.values()))
        yield f"| {name} | {cells} |"


def _notes(results: Results) -> Iterator[str]:
    for report in results.reports:
        if report.notes:
            yield f"* {report.goal}: {' '.join(report.notes)}"


if __name__ == "__main__":
    write_page(read_results())
    sys.stdout.write(f"{PAGE.name} and {PICTURE.name}: written\n")

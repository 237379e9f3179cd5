"""docs/performance.md: its generated part and its picture, made from results.json.

`python -m bench.page` writes both anew; a test holds that they are what it would write.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, Report
from bench.plot import draw
from bench.results import Results, read_results, rows_of, spell

DOCS = Path(__file__).parents[1] / "docs"
PAGE, PICTURE = DOCS / "performance.md", DOCS / "performance.svg"
BEGIN, END = "<!-- results -->", "<!-- /results -->"
HEAD = "| Goal | | Measured | 95 % | Goal | |\n|---|---|---|---|---|---|"
BESIDE = (
    "| | Beside | Measured | Medians (middle half's range), in ms if nothing is said |"
    "\n|---|---|---|---|"
)
COUNTS = "| G3: a start of | Modules | Files | Compiled |\n|---|---|---|---|"
LIMITED = (
    "Where a stand-in's own cores are below 1, the four callers were the limit, not it."
)
LIMITS = (
    "| Stand-in, asked by four threads | Calls/s | MB/s | Its cores | CPU ms a call |"
    "\n|---|---|---|---|---|"
)


def renew(results: Results) -> None:
    """Write page and picture as the results have them."""
    PAGE.write_text(replace_part(PAGE.read_text("utf-8"), results), "utf-8")
    PICTURE.write_text(build_picture(results), "utf-8")


def build_picture(results: Results) -> str:
    """Draw the picture."""
    return draw(results.reports, title=f"Each figure beside its goal, {results.date}")


def replace_part(text: str, results: Results) -> str:
    """Give the page with its generated part made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{build_part(results)}\n{END}{after}"


def build_part(results: Results) -> str:
    """Build what stands between the markers."""
    return "\n\n".join(
        [
            _told(results),
            "\n".join([HEAD, *_decided(results)]),
            "\n".join([BESIDE, *_beside(results)]),
            "\n".join([COUNTS, *_counts(results)]),
            "\n".join([LIMITS, *_limits(results)]),
            LIMITED,
            "\n".join(_notes(results)),
        ]
    )


def _told(results: Results) -> str:
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


def _decided(results: Results) -> Iterator[str]:
    for report in results.reports:
        for at, row in enumerate(rows_of(report)):
            label, measured, interval, goal, held = row
            what = f"{report.title}: {label}"
            shown = "held" if held == "held" else "**short**"
            number = report.goal if at == 0 else ""
            yield f"| {number} | {what} | {measured} | {interval} | {goal} | {shown} |"


def _beside(results: Results) -> Iterator[str]:
    for report in results.reports:
        for figure in report.figures:
            if figure.medians or (figure.goal is None and report.goal != "G3"):
                yield _beside_row(report, figure)


def _beside_row(report: Report, figure: Figure) -> str:
    told = "; ".join(
        f"{name} {spell(median)}{_spread(figure, name)}"
        for name, median in figure.medians.items()
    )
    unit = f" {figure.unit}" if figure.unit not in {"", "×"} else ""
    return (
        f"| {report.goal} | {figure.label} | {spell(figure.measured)}{unit} | {told} |"
    )


def _spread(figure: Figure, name: str) -> str:
    """Give the middle half's range of what has more than one sample."""
    there = name in figure.spreads
    return f" ({spell(figure.spreads[name])})" if there else ""


def _counts(results: Results) -> Iterator[str]:
    """Give a row for each function that was started, its counts side by side."""
    rows: dict[str, list[str]] = {}
    for report in results.reports:
        for figure in report.figures if report.goal == "G3" else ():
            rows.setdefault(figure.label.rpartition(":")[0], []).append(
                spell(figure.measured)
            )
    return (f"| {name} | {' | '.join(counts)} |" for name, counts in rows.items())


def _limits(results: Results) -> Iterator[str]:
    for name, limit in results.stand_ins.items():
        cells = " | ".join(map(spell, limit.values()))
        yield f"| {name} | {cells} |"


def _notes(results: Results) -> Iterator[str]:
    for report in results.reports:
        if report.notes:
            yield f"* {report.goal}: {' '.join(report.notes)}"


if __name__ == "__main__":
    renew(read_results())
    sys.stdout.write(f"{PAGE.name} and {PICTURE.name}: written\n")

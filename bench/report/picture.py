"""Draws how far each figure lies from its goal, as SVG."""

import math
from collections.abc import Iterator, Sequence
from html import escape

from bench.measure.figures import Figure, GoalReport
from bench.report.formatting import format_figure, verdict

WIDTH, ROW, TOP = 760, 24, 64
LEFT, RIGHT = 330, 560  # of the axis
OCTAVES = 3  # to each side of the goal: from an eighth to eight times
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2933 }
.small { font-size: 11px; fill: #61707f }
.bold { font-weight: 600 }
.grid { stroke: #d9dfe5 }
.goal { stroke: #1f2933; stroke-width: 1.5 }
.met { stroke: #0b7a6b; fill: #0b7a6b }
.missed { stroke: #c2410c; fill: #c2410c }
.whisker { stroke-width: 5; stroke-opacity: .35; stroke-linecap: round }
.stem { stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
 text { fill: #e6ebf0 } .small { fill: #9aa8b5 } .grid { stroke: #38424c }
 .goal { stroke: #e6ebf0 } .met { stroke: #4fd1bd; fill: #4fd1bd }
 .missed { stroke: #ff9a62; fill: #ff9a62 }
}"""


def draw(reports: Sequence[GoalReport], *, title: str) -> str:
    """Returns a picture with a line for each figure with a goal, except G3's counts."""
    rows = list(_rows(reports))
    height = TOP + ROW * len(rows) + 34
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            f' width="{WIDTH}" height="{height}" role="img">'
        ),
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text x="8" y="20" class="bold">{escape(title)}</text>',
        *_axis(height),
    ]
    for at, (name, figure) in enumerate(rows):
        parts += _row(TOP + ROW * at + ROW / 2, name, figure)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rows(reports: Sequence[GoalReport]) -> Iterator[tuple[str, Figure]]:
    for report in reports:
        decided = [figure for figure in report.figures if figure.goal]
        for figure in decided if report.goal != "G3" else []:
            yield f"{report.goal}  {report.title}: {figure.label}", figure


def _axis(height: int) -> Iterator[str]:
    bottom = height - 30
    for octave in range(-OCTAVES, OCTAVES + 1):
        x = _x(2.0**octave)
        yield _line("grid" if octave else "goal", (x, x), (TOP - 8, bottom))
        label = f"{2.0**octave:g}×" if octave else "goal"
        yield _text(x, bottom + 14, label, anchor="middle")
    yield _text(_x(1) - 8, 44, "← better", anchor="end")
    yield _text(_x(1) + 8, 44, "worse →")


def _row(y: float, name: str, figure: Figure) -> Iterator[str]:
    kind = verdict(is_met=figure.is_met)
    x = _x(distance(figure, figure.measured))
    yield f'<text x="8" y="{y + 4:.1f}">{escape(_cut(name))}</text>'
    yield _line(f"stem {kind}", (_x(1), x), (y, y))
    if figure.interval:
        low, high = (_x(distance(figure, end)) for end in figure.interval)
        yield _line(f"whisker {kind}", (low, high), (y, y))
    yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" class="{kind}"/>'
    measured, goal = map(escape, format_figure(figure))
    yield (
        f'<text x="{RIGHT + 16}" y="{y + 4:.1f}">{measured}'
        f'<tspan dx="8" class="small">goal {goal}</tspan></text>'
    )


def _line(kind: str, x: tuple[float, float], y: tuple[float, float]) -> str:
    ends = f'x1="{x[0]:.1f}" x2="{x[1]:.1f}" y1="{y[0]:.1f}" y2="{y[1]:.1f}"'
    return f'<line {ends} class="{kind}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    where = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {where} class="small">{text}</text>'


def distance(figure: Figure, value: float) -> float:
    """Returns a value as a multiple of the goal; below 1 is better."""
    goal = figure.goal or 1.0
    if figure.at_least:
        return goal / value if value else math.inf
    return value / goal


def _x(times: float) -> float:
    """Returns the x of a multiple of the goal, limited to the axis."""
    octave = math.log2(times) if times > 0 else -math.inf
    octave = max(-OCTAVES, min(OCTAVES, octave))
    return LEFT + (RIGHT - LEFT) * (octave + OCTAVES) / (2 * OCTAVES)


def _cut(name: str, max_length: int = 46) -> str:
    return name if len(name) <= max_length else f"{name[: max_length - 1]}…"

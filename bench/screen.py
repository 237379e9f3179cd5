"""What a person sees: a progress bar while it runs, then a table of 80 columns."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from bench.figures import Report
from bench.results import rows_of

WIDTH = 80
ROW = "     {:<36.36}{:>9}{:>13}{:>9}  {}"


class Screen:
    """Standard output; the bar is drawn on a terminal alone."""

    def __init__(self) -> None:
        self._console = Console(width=WIDTH, highlight=False)
        self._progress: Progress | None = None
        self._goals = self._steps = TaskID(0)

    @contextmanager
    def progress(self, goals: int) -> Iterator[None]:
        """Show how far the run is, among all goals and in the present one."""
        bar = Progress(
            TextColumn("{task.description:<40.40}"),
            BarColumn(18),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        with bar:
            self._progress = bar
            self._goals = bar.add_task("all goals", total=goals)
            self._steps = bar.add_task("", total=None)
            yield
        self._progress = None

    def begin(self, title: str) -> None:
        """Say what is measured now."""
        if self._progress:
            self._progress.reset(self._steps, description=title, total=None)
        if not self._console.is_terminal:
            self.line(f"{title} ...")

    def expect(self, steps: int) -> None:
        """Say how many steps are to come."""
        if self._progress:
            self._progress.reset(self._steps, total=steps)

    def advance(self) -> None:
        """Show one step more."""
        if self._progress:
            self._progress.advance(self._steps)

    def end_goal(self) -> None:
        """Show one goal more."""
        if self._progress:
            self._progress.advance(self._goals)

    def show(self, reports: Sequence[Report]) -> None:
        """Print the table: a line for each figure that a goal decides on."""
        self._console.print(ROW.format("", "measured", "95 %", "goal", ""), style="dim")
        for report in reports:
            self._console.print(f"[bold]{report.goal}  {escape(report.title)}[/]")
            for row in rows_of(report):
                style = None if row[-1] == "held" else "bold red"
                self._console.print(ROW.format(*row), style=style, markup=False)
            for note in report.notes:
                self._console.print(Padding(Text(note, style="dim"), (0, 0, 0, 5)))

    def line(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, soft_wrap=True)

    def problem(self, text: str) -> None:
        """Print a line on standard error."""
        sys.stderr.write(f"{text}\n")

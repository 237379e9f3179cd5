"""Terminal output: a progress bar during the run, then a table of 80 columns."""

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

from bench.measure.figures import GoalReport
from bench.report.formatting import decided_rows

WIDTH = 80
ROW = "     {:<34.34}{:>9}{:>15}{:>9}  {}"


class Terminal:
    """Writes to standard output; the bar is shown on a terminal only."""

    def __init__(self) -> None:
        self._console = Console(width=WIDTH, highlight=False)
        self._progress: Progress | None = None
        self._goals = self._rounds = TaskID(0)

    @contextmanager
    def progress(self, goals: int) -> Iterator[None]:
        """Shows the progress of all goals and of the current one."""
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
            self._rounds = bar.add_task("", total=None)
            yield
        self._progress = None

    def start_goal(self, title: str) -> None:
        """Shows what is measured now."""
        if self._progress:
            self._progress.reset(self._rounds, description=title, total=None)
        if not self._console.is_terminal:
            self.line(f"{title} ...")

    def set_total(self, rounds: int) -> None:
        """Sets the number of rounds of the current goal."""
        if self._progress:
            self._progress.reset(self._rounds, total=rounds)

    def advance(self) -> None:
        """Shows one more round."""
        if self._progress:
            self._progress.advance(self._rounds)

    def end_goal(self) -> None:
        """Shows one more goal."""
        if self._progress:
            self._progress.advance(self._goals)

    def show(self, reports: Sequence[GoalReport]) -> None:
        """Prints the table: one line for each figure with a goal."""
        self._console.print(ROW.format("", "measured", "95 %", "goal", ""), style="dim")
        for report in reports:
            self._console.print(f"[bold]{report.goal}  {escape(report.title)}[/]")
            for row in decided_rows(report):
                style = None if row[-1] == "met" else "bold red"
                self._console.print(ROW.format(*row), style=style, markup=False)
            for note in report.notes:
                self._console.print(Padding(Text(note, style="dim"), (0, 0, 0, 5)))

    def line(self, text: str) -> None:
        """Prints a line."""
        self._console.print(text, markup=False, soft_wrap=True)

    def problem(self, text: str) -> None:
        """Prints a line on standard error."""
        sys.stderr.write(f"{text}\n")

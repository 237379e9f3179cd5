"""What the person sees: styled on a terminal, plain lines in a pipe or file."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

STYLES = {
    "ok": "green",
    "collected": "green",
    "waiting": "yellow",
    "registered": "yellow",
    "collecting": "yellow",
    "note": "yellow",
    "problem": "red",
    "NO": "red",
    "failed": "red",
    "missing": "red",
    "changed": "red",
    "extra": "red",
}
_GAP = "  "


class Screen:
    """Standard output and error. Text is shown as it is; there is no markup in it."""

    def __init__(self, out: IO[str], err: IO[str]) -> None:
        self._out = Console(file=out, highlight=False, markup=False, emoji=False)
        self._err = Console(file=err, highlight=False, markup=False, emoji=False)

    @property
    def is_terminal(self) -> bool:
        """Tell whether a person watches."""
        return self._out.is_terminal

    def line(self, text: str = "", style: str = "") -> None:
        """Print one line, never broken in a pipe."""
        self._out.print(_clean(text, style), soft_wrap=True)

    def item(self, mark: str, text: str, *, indent: int = 0) -> None:
        """Print a line that begins with one of the marked words."""
        shown = Text(" " * indent).append(mark, STYLES.get(mark, ""))
        self._out.print(shown.append(_clean(f"{_GAP}{text}", "")), soft_wrap=True)

    def problem(self, text: str) -> None:
        """Print one line on standard error."""
        self._err.print(_clean(text, "red"), soft_wrap=True)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table: one line a row, and columns two blanks apart, in a pipe."""
        rows = list(rows)
        if not self.is_terminal:
            for text in _align([[name.upper() for name in head], *rows]):
                self.line(text)
            return
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for name in head:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(_clean(cell, STYLES.get(cell, "")) for cell in row))
        self._out.print(table)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator["Steps"]:
        """Show a bar on standard error while something lasts; nothing in a pipe."""
        columns = TextColumn(what), BarColumn(), MofNCompleteColumn()
        bar = Progress(*columns, console=self._err, transient=True)
        if not self._err.is_terminal or total <= 1:
            bar.disable = True
        with bar:
            yield Steps(bar, total)


class Steps:
    """Something that lasts, step by step."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar, self._task = bar, bar.add_task("", total=total)

    def step(self) -> None:
        """Count one more as done."""
        self._bar.advance(self._task)


def _clean(text: str, style: str) -> Text:
    """Show what cannot be printed as `?`: a file's name may hold anything."""
    shown = (letter if letter.isprintable() else "?" for letter in text)
    return Text("".join(shown), style)


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()

"""Prints lines, tables and progress: styled on a terminal, plain in a pipe or file."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

_STYLES = {
    "ok": "green",
    "collected": "green",
    "waiting": "yellow",
    "registered": "yellow",
    "collecting": "yellow",
    "note": "cyan",
    "warning": "yellow",
    "problem": "red",
    "NO": "red",
    "failed": "red",
    "missing": "red",
    "changed": "red",
    "extra": "red",
}
_GAP = "  "


class Terminal:
    """Standard output and standard error; markup in the text has no effect."""

    def __init__(self, out: IO[str], err: IO[str]) -> None:
        self._out = Console(file=out, highlight=False, markup=False, emoji=False)
        self._err = Console(file=err, highlight=False, markup=False, emoji=False)

    @property
    def is_terminal(self) -> bool:
        """Whether standard output is a terminal."""
        return self._out.is_terminal

    def line(self, text: str = "", style: str = "") -> None:
        """Prints one line; long lines are not wrapped in a pipe."""
        self._out.print(_printable(text, style), soft_wrap=True)

    def item(self, status: str, text: str, *, indent: int = 0) -> None:
        """Prints a line that begins with a status word, in the status's colour."""
        start = Text(" " * indent).append(status, _STYLES.get(status, ""))
        self._out.print(start.append(_printable(f"{_GAP}{text}", "")), soft_wrap=True)

    def note(self, text: str) -> None:
        """Prints one line of guidance on standard error."""
        self._err.print(_printable(text, ""), soft_wrap=True)

    def raw(self, text: str) -> None:
        """Writes text unchanged, in UTF-8 and without a line's end."""
        self._out.file.flush()
        self._out.file.buffer.write(text.encode())  # type: ignore[attr-defined]  # of a text stream
        self._out.file.buffer.flush()  # type: ignore[attr-defined]

    def problem(self, text: str) -> None:
        """Prints one line on standard error."""
        self._err.print(_printable(text, "red"), soft_wrap=True)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Prints a table; in a pipe, a line per row with two blanks between columns.

        The column `order` is not folded: order numbers are copied.
        """
        rows = list(rows)
        if not self.is_terminal:
            for text in _align([[name.upper() for name in head], *rows]):
                self.line(text)
            return
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for name in head:
            table.add_column(name, overflow="fold", no_wrap=name == "order")
        for row in rows:
            table.add_row(*(_printable(cell, _STYLES.get(cell, "")) for cell in row))
        self._out.print(table)

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator["ProgressBar"]:
        """Shows a progress bar on standard error; nothing in a pipe."""
        columns = TextColumn(label), BarColumn(), MofNCompleteColumn()
        bar = Progress(*columns, console=self._err, transient=True)
        if not self._err.is_terminal or total <= 1:
            bar.disable = True
        with bar:
            yield ProgressBar(bar, total)


class ProgressBar:
    """Counts completed steps on a bar."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar, self._task = bar, bar.add_task("", total=total)

    def advance(self) -> None:
        """Count one more completed step."""
        self._bar.advance(self._task)


def _printable(text: str, style: str) -> Text:
    """Replace unprintable characters by `?`: a file's name may contain any."""
    characters = (each if each.isprintable() else "?" for each in text)
    return Text("".join(characters), style)


def _align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()

"""Reads and checks the order numbers on the command line."""

import csv
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from kycourier.core.errors import ApiProblemError
from kycourier.core.orders.order_request import parse_order_no
from kycourier_devkit.errors import UsageError

_COLUMN = "order_no"
_MAX_SHOWN = 40
_RULE = "it must have 1 to 32 letters and digits"


class OrderNumbers(Struct, frozen=True):
    """The valid numbers without duplicates, and a sentence for each bad line."""

    valid: list[str]
    problems: list[str]


def read_order_numbers(arguments: Sequence[str], file: Path | None) -> OrderNumbers:
    """Returns the order numbers of the arguments and the file.

    Args:
        arguments: Order numbers.
        file: A file with one order number per line, or a CSV file with a column
            `order_no`; `-` is standard input. A bad line of it is skipped.

    Raises:
        UsageError: There is none, an argument is invalid, or the file cannot be read.
    """
    numbers = [check_order_number(each) for each in arguments]
    problems = []
    for line, text in _read_numbers(file) if file is not None else ():
        if _is_order_number(text):
            numbers.append(text)
        else:
            problems.append(f"--from: line {line} is not an order number: {_RULE}")
    if not numbers and not problems:
        raise UsageError("no order: name one as ORDER, or a file of them with --from")
    return OrderNumbers(list(dict.fromkeys(numbers)), problems)


def check_order_number(text: str, name: str = "ORDER") -> str:
    """Returns a valid order number. Raises UsageError that names the argument."""
    try:
        return parse_order_no(text)
    except ApiProblemError:
        pass  # raised below, without the text that ApiProblemError carries
    raise UsageError(f"{name}: {text[:_MAX_SHOWN]!r} is not an order number: {_RULE}")


def _is_order_number(text: str) -> bool:
    try:
        parse_order_no(text)
    except ApiProblemError:
        return False
    return True


def _read_numbers(file: Path) -> Iterator[tuple[int, str]]:
    """Yields line numbers and the order numbers of a list or a CSV file."""
    lines = _read_text(file).removeprefix("\ufeff").splitlines()
    head = [_unquote(cell) for cell in lines[0].split(",")] if lines else []
    if len(head) > 1 and _COLUMN in head:
        numbers = _read_column(file, lines, head.index(_COLUMN))
    else:  # no CSV: a stray quote would join lines
        numbers = enumerate(map(_unquote, lines), 1)
    for line, text in numbers:
        if text and text != _COLUMN:
            yield line, text


def _unquote(text: str) -> str:
    return re.sub('^"(.*)"$', r"\1", text.strip())


def _read_column(
    file: Path, lines: Sequence[str], column: int
) -> Iterator[tuple[int, str]]:
    rows = csv.reader(lines)
    try:
        for row in rows:
            yield rows.line_num, row[column].strip() if column < len(row) else ""
    except csv.Error:
        reason = f"line {rows.line_num} is not CSV"
    else:
        return
    raise UsageError(f"--from: {file} cannot be read: {reason}")


def _read_text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "not UTF-8 text"
    raise UsageError(f"--from: {file} cannot be read: {reason}")

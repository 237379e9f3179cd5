"""Reads and checks the order numbers on the command line."""

import sys
from collections.abc import Sequence
from pathlib import Path

from kycourier.core.errors import ApiProblemError
from kycourier.core.orders.order_request import parse_order_no
from kycourier_devkit.errors import UsageError

_MAX_SHOWN = 40


def read_order_numbers(arguments: Sequence[str], file: Path | None) -> list[str]:
    """Returns the order numbers of the arguments and the file, without duplicates.

    Args:
        arguments: Order numbers.
        file: A file with one order number per line; `-` is standard input.

    Raises:
        UsageError: There is none, one is invalid, or the file cannot be read.
    """
    numbers = list(arguments)
    if file is not None:
        numbers += [line.strip() for line in _read_lines(file) if line.strip()]
    if not numbers:
        raise UsageError("no order: name one as ORDER, or a file of them with --from")
    return [check_order_number(number) for number in dict.fromkeys(numbers)]


def check_order_number(text: str) -> str:
    """Returns a valid order number. Raises UsageError for an invalid one."""
    try:
        return parse_order_no(text)
    except ApiProblemError:
        pass  # raised below, without the text that ApiProblemError carries
    raise UsageError(
        f"ORDER: {text[:_MAX_SHOWN]!r} is not an order number:"
        " it must have 1 to 32 letters and digits"
    )


def _read_lines(file: Path) -> list[str]:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "not UTF-8 text"
    else:
        return text.splitlines()
    raise UsageError(f"--from: {file} cannot be read: {reason}")

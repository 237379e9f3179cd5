"""Reads, masks and checks card numbers."""

import re

from kycourier.core.redaction import Redacted

_SHOWN_HEAD, _SHOWN_TAIL, _MIN_HIDDEN = 6, 4, 6
_MIN_DIGITS = 12  # of a card number; fewer may occur in an identifier by chance
_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)}
_NO_DIGITS = re.compile("[^0-9]")
_SPELLED_NUMBER = re.compile("[0-9 -]*")
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


class CardNumber(Redacted[str]):
    """The card number as the platform spelled it: any text, `xxxx…` included."""

    __slots__ = ()


def digits_of(number: CardNumber) -> CardNumber:
    """Returns the digits alone, full-width ones as ASCII; blanks and dashes go.

    A text with anything else is no card number, and has no digits.
    """
    text = number.expose().translate(_FULL_WIDTH).strip()
    if not _SPELLED_NUMBER.fullmatch(text):
        return CardNumber("")
    return CardNumber(text.replace(" ", "").replace("-", ""))


def mask_number(number: CardNumber) -> str | None:
    """Shows at most the first six and last four digits (PCI DSS 3.4.1).

    If that would hide fewer than six digits only the last four are shown; of four
    digits or fewer, none. Returns None if there are no digits.
    """
    digits = digits_of(number).expose()
    if not digits:
        return None
    hidden = len(digits) - _SHOWN_HEAD - _SHOWN_TAIL
    if hidden >= _MIN_HIDDEN:
        return f"{digits[:_SHOWN_HEAD]}{'*' * hidden}{digits[-_SHOWN_TAIL:]}"
    if len(digits) <= _SHOWN_TAIL:
        return "*" * len(digits)
    return f"{'*' * (len(digits) - _SHOWN_TAIL)}{digits[-_SHOWN_TAIL:]}"


def is_luhn_valid(number: CardNumber) -> bool | None:
    """Checks the Luhn digit: a hint, not a rejection. Returns None without digits."""
    digits = digits_of(number).expose()
    if not digits:
        return None
    plain = sum(int(digit) for digit in digits[-1::-2])
    doubled = sum(_LUHN_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return (plain + doubled) % 10 == 0


def occurs_in(text: str, number: CardNumber) -> bool:
    """Checks whether the number's digits occur in a text.

    All digits count, also those of a text that is no card number.
    """
    digits = _NO_DIGITS.sub("", number.expose().translate(_FULL_WIDTH))
    return len(digits) >= _MIN_DIGITS and digits in text

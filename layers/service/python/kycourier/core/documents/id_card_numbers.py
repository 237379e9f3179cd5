"""Reads, masks and checks the numbers and names of ID cards."""

import re

from kycourier.core.redaction import Redacted

_SHOWN_HEAD, _SHOWN_TAIL, _MIN_HIDDEN = 3, 2, 6
_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)}
_NUMBER = re.compile("[0-9]{1,31}[0-9X]")
_OLD_LENGTH, _LENGTH = 15, 18  # of before 1999, without a check digit; of today
_WEIGHTS = tuple(2**exponent % 11 for exponent in range(17, 0, -1))
_CHECK_DIGITS = "10X98765432"  # by the weighted sum modulo 11


class IdNumber(Redacted[str]):
    """An ID number: digits, and an X at the end of some; or no text at all."""

    __slots__ = ()


class PersonName(Redacted[str]):
    """A person's name as printed; or no text at all."""

    __slots__ = ()


def parse_id_number(text: str) -> IdNumber:
    """Parses a number of any length; a text with anything else is none."""
    spelled = text.translate(_FULL_WIDTH).strip().upper()
    return IdNumber(spelled if _NUMBER.fullmatch(spelled) else "")


def mask_id_number(number: IdNumber) -> str | None:
    """Shows the first three and last two characters.

    If that would hide fewer than six, only the last two are shown; of two or fewer,
    none. Returns None if there is no number.
    """
    text = number.expose()
    if not text:
        return None
    head = text[:_SHOWN_HEAD]
    if len(text) - _SHOWN_HEAD - _SHOWN_TAIL < _MIN_HIDDEN:
        head = ""
    tail = text[-_SHOWN_TAIL:] if len(text) > _SHOWN_TAIL else ""
    return f"{head}{'*' * (len(text) - len(head) - len(tail))}{tail}"


def is_id_number_valid(number: IdNumber) -> bool | None:
    """Checks length and check digit (ISO 7064 MOD 11-2): a hint, no rejection.

    Returns:
        None for no number, and for one of 15 digits, which has no check digit.
    """
    text = number.expose()
    if not text or len(text) == _OLD_LENGTH:
        return None
    if len(text) != _LENGTH:
        return False
    total = sum(
        int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False)
    )
    return text[-1] == _CHECK_DIGITS[total % 11]


def mask_name(name: PersonName) -> str | None:
    """Shows the first character, of a name with several; None if there is no name."""
    text = name.expose()
    if not text:
        return None
    shown = text[0] if len(text) > 1 else ""
    return f"{shown}{'*' * (len(text) - len(shown))}"

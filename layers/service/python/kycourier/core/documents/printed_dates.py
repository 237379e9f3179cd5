"""Reads the dates that are printed on documents; what cannot be read stays text."""

import calendar
import re
from contextlib import suppress
from datetime import date, datetime

from msgspec import Struct

from kycourier.core.wire.lenient_fields import CHINA

_YEAR, _MONTH = r"(?P<year>(?:19|20)[0-9]{2})", r"(?P<month>0[1-9]|1[0-2])"
_SHORT_MONTH = r"(?P<month>0?[1-9]|1[0-2])"
_DATES = [
    re.compile(pattern)
    for pattern in (
        f"{_SHORT_MONTH}[/.-]{_YEAR}",
        f"{_YEAR}[/.-]{_SHORT_MONTH}",
        f"{_MONTH}[/.-](?P<year>[0-9]{{2}})",  # 20YY
        f"{_YEAR}{_MONTH}",
    )
]
_MAX_DATE_TEXT = 32
_MAX_DIGITS = 11  # twelve or more may be a personal number
_UNSAFE = re.compile(r"[^A-Za-z0-9\u4e00-\u9fff /.-]")


_DAY = re.compile(r"([0-9]{4})([.-]?)([0-9]{2})\2([0-9]{2})")
_PERIOD = re.compile(r"([0-9.]+)[-~至]+([0-9.]+|长期)")
_LONG_TERM = "长期"


class Period(Struct, frozen=True):
    """From when until when; None is unknown. A long-term one has no end."""

    begins: date | None = None
    ends: date | None = None
    is_long_term: bool | None = None


def parse_day(text: str) -> date | None:
    """Parses `YYYYMMDD`, also with dots or dashes; None for a day that is none."""
    found = _DAY.fullmatch(text)
    if found is None:
        return None
    with suppress(ValueError):
        return date(int(found[1]), int(found[3]), int(found[4]))
    return None


def parse_period(text: str) -> Period:
    """Parses `YYYYMMDD-YYYYMMDD`, also with dots, or with 长期 (long-term) as its end.

    Of anything else nothing is known, and of a period that ends before it begins.
    """
    found = _PERIOD.fullmatch("".join(text.split()))
    if found is None:
        return Period()
    begins = parse_day(found[1])
    if found[2] == _LONG_TERM:
        return Period(begins, None, is_long_term=True)
    ends = parse_day(found[2])
    if ends is None or (begins is not None and ends < begins):
        return Period()
    return Period(begins, ends, is_long_term=False)


def parse_valid_until(text: str) -> str | None:
    """Parses a date as `YYYY-MM`; returns None, never a guess.

    Month and year, year and month, `MM/YY` of this century, and `YYYYMM`; white space
    does not count.
    """
    text = "".join(text.split())
    found = next(filter(None, (each.fullmatch(text) for each in _DATES)), None)
    if found is None:
        return None
    year = found["year"]
    return f"{year if len(year) == 4 else f'20{year}'}-{found['month']:0>2}"  # noqa: PLR2004 - YYYY


def printable_date(text: str) -> str | None:
    """Returns the date as printed; None if nothing of it may be shown.

    Letters, digits, Chinese characters, blanks and `/ . -` stay, 32 at most; a text
    with more than 11 digits is not shown at all.
    """
    if sum(map(str.isdigit, text)) > _MAX_DIGITS:
        return None
    return _UNSAFE.sub("", text).strip()[:_MAX_DATE_TEXT].rstrip() or None


def is_expired(valid_until: str | None, recognized_at: datetime | None) -> bool | None:
    """Checks whether the day of recognition, in UTC+8, is past the month's end."""
    if valid_until is None or recognized_at is None:
        return None
    year, month = int(valid_until[:4]), int(valid_until[5:])
    last_day = date(year, month, calendar.monthrange(year, month)[1])
    return recognized_at.astimezone(CHINA).date() > last_day

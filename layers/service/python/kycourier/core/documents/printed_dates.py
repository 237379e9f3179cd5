"""Reads the dates that are printed on documents; what cannot be read stays text."""

import calendar
import re
from datetime import date, datetime

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

"""What may be shown of a card number, and what may be said of it."""

import calendar
import hashlib
import hmac
import re
from datetime import date, datetime, timedelta, timezone

from msgspec import Struct

from kycourier.core.hidden import CardNumber, Secret

CHINA = timezone(timedelta(hours=8))
_SHOWN_HEAD, _SHOWN_TAIL, _LEAST_HIDDEN = 6, 4, 6
_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)}
_VERSIONED = re.compile(r"v[0-9]{1,4}=")
_KEY_LINE = re.compile(r"(?P<version>v[0-9]{1,4})=(?P<key>.{32,})")
_NOT_DIGITS = re.compile("[^0-9]")
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_YEAR, _MONTH = r"(?P<year>(?:19|20)[0-9]{2})", r"(?P<month>0[1-9]|1[0-2])"
_MONTH_YEAR = re.compile(f"{_MONTH}[/.-]{_YEAR}")
_YEAR_MONTH = re.compile(f"{_YEAR}[/.-]{_MONTH}")


class FingerprintKey(Struct, frozen=True):
    """The key in use, and the version that stands before each fingerprint."""

    version: str
    key: Secret


def parse_fingerprint_key(kept: Secret) -> FingerprintKey | None:
    """Read the key in use: one string is `v1`; of lines `v1=…`, `v2=…` the last one.

    Each key has 32 characters or more; None when that is not so.
    """
    lines = [line for line in kept.reveal().splitlines() if line]
    if len(lines) == 1 and not _VERSIONED.match(lines[0]):
        lines = [f"v1={lines[0]}"]
    keys = [_KEY_LINE.fullmatch(line) for line in lines]
    last = keys[-1] if keys and all(keys) else None
    return FingerprintKey(last["version"], Secret(last["key"])) if last else None


def digits_of(number: CardNumber) -> CardNumber:
    """Keep the digits alone: ASCII, and full-width made ASCII; all else is dropped."""
    return CardNumber(_NOT_DIGITS.sub("", number.reveal().translate(_FULL_WIDTH)))


def mask(number: CardNumber) -> str | None:
    """Show at most the first six and last four digits (PCI DSS 3.4.1).

    Where that would hide fewer than six digits only the last four are shown; of four
    digits or fewer, none. None when there are no digits.
    """
    digits = digits_of(number).reveal()
    if not digits:
        return None
    hidden = len(digits) - _SHOWN_HEAD - _SHOWN_TAIL
    if hidden >= _LEAST_HIDDEN:
        return f"{digits[:_SHOWN_HEAD]}{'*' * hidden}{digits[-_SHOWN_TAIL:]}"
    if len(digits) <= _SHOWN_TAIL:
        return "*" * len(digits)
    return f"{'*' * (len(digits) - _SHOWN_TAIL)}{digits[-_SHOWN_TAIL:]}"


def is_luhn_valid(number: CardNumber) -> bool | None:
    """Check the Luhn digit: a signal, not a rejection. None without digits."""
    digits = digits_of(number).reveal()
    if not digits:
        return None
    plain = sum(int(digit) for digit in digits[-1::-2])
    doubled = sum(_LUHN_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return (plain + doubled) % 10 == 0


def fingerprint(number: CardNumber, key: FingerprintKey) -> str | None:
    """Key a digest of the digits: `version:hex`. A bare hash is found in a minute."""
    digits = digits_of(number).reveal()
    if not digits:
        return None
    digest = hmac.new(key.key.reveal().encode(), digits.encode(), hashlib.sha256)
    return f"{key.version}:{digest.hexdigest()}"


def parse_valid_until(text: str) -> str | None:
    """Read month and year with a four-digit year as `YYYY-MM`; else None, no guess."""
    text = text.strip(" ")
    found = _MONTH_YEAR.fullmatch(text) or _YEAR_MONTH.fullmatch(text)
    return f"{found['year']}-{found['month']}" if found else None


def is_expired(valid_until: str | None, recognized_at: datetime | None) -> bool | None:
    """Tell whether the day of recognition, in UTC+8, lies past the month's end."""
    if valid_until is None or recognized_at is None:
        return None
    year, month = int(valid_until[:4]), int(valid_until[5:])
    last_day = date(year, month, calendar.monthrange(year, month)[1])
    return recognized_at.astimezone(CHINA).date() > last_day

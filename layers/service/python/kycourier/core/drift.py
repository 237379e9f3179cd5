"""Readers for values whose type and spelling drift between the platform's pages."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from kycourier.core.card import CHINA
from kycourier.core.errors import MalformedReply
from kycourier.core.hidden import Secret

UNREADABLE_CODE = "unreadable"
_MOST_WARNINGS = 32
_LONGEST_TEXT = 1024
_WARNING = re.compile(r"(?<![0-9A-Za-z])-?[0-9]{1,9}(?![0-9A-Za-z])")
_CLOCK = re.compile(r"[0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2}")
_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


class Fields:
    """The fields of a result: in the first place that has them, in any spelling."""

    def __init__(self, *places: Mapping[str, object]) -> None:
        self._places = places

    def first(self, *names: str) -> object:
        """Give the first value that is there and not empty, else None."""
        for place in self._places:
            for name in names:
                value = place.get(name)
                if value is not None and value != "":
                    return value
        return None

    def text(self, *names: str) -> str:
        """Give the first as text; a whole number is spelled, all else is empty."""
        return to_text(self.first(*names))


def to_text(value: object) -> str:
    """Spell a value as text: "" for what is neither text nor whole number.

    What is longer than any field is cut, and still too long to be one.
    """
    if isinstance(value, memoryview):
        return str(value[:_LONGEST_TEXT], "latin-1")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:_LONGEST_TEXT]


def parse_code(value: object) -> str:
    """Give a result code as text, so that int 0 and "0" alone are success.

    A code of another shape is `unreadable`, which is not listed; none is malformed.
    """
    if value is None:
        raise MalformedReply("no code")
    return matching(r"-?[0-9]{1,9}", to_text(value)) or UNREADABLE_CODE


def parse_warnings(values: Iterable[object]) -> tuple[str, ...]:
    """Gather warning codes: one, a list, a bracketed or broken text; "0" is none.

    A text that was cut has none: its last code may be half of one.
    """
    found: dict[str, None] = {}
    for value in values:
        for part in (value if isinstance(value, list) else [value])[:_MOST_WARNINGS]:
            text = to_text(part)
            if len(text) < _LONGEST_TEXT:
                found.update(dict.fromkeys(_WARNING.findall(text)))
    found.pop("0", None)
    return tuple(found)[:_MOST_WARNINGS]


def parse_number(value: object) -> int | float | None:
    """Read a small number such as clarity, often as text; None when it is not one."""
    text = str(value) if isinstance(value, float) else to_text(value)
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def parse_china_time(text: str) -> datetime | None:
    """Read `yyyy-MM-dd HH:mm:ss`; UTC+8 is inferred, the pages name no zone."""
    if not _CLOCK.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA)
    except ValueError:
        return None


def parse_secret(value: object) -> Secret:
    """Read a token or ticket: opaque, so printable ASCII of any sensible length."""
    text = value if isinstance(value, str) else ""
    if 0 < len(text) <= _LONGEST_TEXT and text.isascii() and text.isprintable():
        return Secret(text)
    raise MalformedReply("no token or ticket")


def parse_lifetime(value: object, *, cap: timedelta) -> timedelta:
    """Read `expire_in` in seconds, an int or its text, clamped to `cap`.

    Validity is judged by it alone; `expire_time` is for display (1007/37304).
    """
    seconds = matching(r"[0-9]{1,18}", to_text(value))
    if not seconds or not int(seconds):
        raise MalformedReply("lifetime")
    return min(cap, timedelta(seconds=min(int(seconds), 10**6)))


def matching(pattern: str, text: str) -> str | None:
    """Give the text back when all of it matches, else None."""
    return text if re.fullmatch(pattern, text) else None

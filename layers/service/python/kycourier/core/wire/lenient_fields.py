"""Readers for fields whose type and spelling differ between the platform's pages."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone

from kycourier.core.causes import Cause
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody, Secret
from kycourier.core.strict_json import MalformedJsonError, parse_json_with_views

CHINA = timezone(timedelta(hours=8))
UNREADABLE_CODE = "unreadable"
_MAX_WARNINGS = 32
_MAX_TEXT = 1024
_WARNING = re.compile(r"(?<![0-9A-Za-z])-?[0-9]{1,9}(?![0-9A-Za-z])")
_LOCAL_TIME = re.compile(r"[0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2}")
_PERSONAL_NUMBER = re.compile("[0-9]{12,20}[Xx]?")
_COMPACT_TIME = re.compile("[0-9]{14}")
_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?")


class Fields:
    """A result's fields: looked up in several objects, under several spellings."""

    def __init__(self, *objects: Mapping[str, object]) -> None:
        self._objects = objects

    def first(self, *names: str) -> object:
        """Returns the first value that is present and not empty, else None."""
        for each in self._objects:
            for name in names:
                value = each.get(name)
                if value is not None and value != "":
                    return value
        return None

    def text(self, *names: str) -> str:
        """Returns the first value as text, as `to_text` does."""
        return to_text(self.first(*names))


def parse_object(body: ReplyBody) -> dict[str, object]:
    """Parses a reply's body; long strings become views. Raises MalformedReplyError."""
    try:
        reply = parse_json_with_views(body.expose())
    except MalformedJsonError:
        reply = None
    if not isinstance(reply, dict):
        raise MalformedReplyError(Cause.REPLY_NOT_JSON)
    return reply


def to_text(value: object) -> str:
    """Returns text and whole numbers as text, "" for anything else.

    A text longer than any field is cut, and remains too long to match one.
    """
    if isinstance(value, memoryview):
        return str(value[:_MAX_TEXT], "latin-1")
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)[:_MAX_TEXT]


def parse_code(value: object) -> str:
    """Returns a result code as text, so that only int 0 and "0" are success.

    A code of another shape becomes `unreadable`, which is not listed.

    Raises:
        MalformedReplyError: there is no code.
    """
    if value is None:
        raise MalformedReplyError(Cause.REPLY_MALFORMED, "code")
    return matching(r"-?[0-9]{1,9}", to_text(value)) or UNREADABLE_CODE


def parse_warnings(values: Iterable[object]) -> tuple[str, ...]:
    """Collects warning codes from single codes, lists, and bracketed or broken text.

    "0" means none. A text that was cut is skipped: its last code may be incomplete.
    """
    found: dict[str, None] = {}
    for value in values:
        for part in (value if isinstance(value, list) else [value])[:_MAX_WARNINGS]:
            text = to_text(part)
            if len(text) < _MAX_TEXT:
                found.update(dict.fromkeys(_WARNING.findall(text)))
    found.pop("0", None)
    return tuple(found)[:_MAX_WARNINGS]


def parse_number(value: object) -> int | float | None:
    """Parses a small number such as clarity, often sent as text; None if it is none."""
    text = str(value) if isinstance(value, float) else to_text(value)
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def parse_china_time(text: str) -> datetime | None:
    """Parses `yyyy-MM-dd HH:mm:ss`; UTC+8 is inferred, the pages name no zone."""
    if not _LOCAL_TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA)
    except ValueError:
        return None


def parse_compact_time(text: str) -> datetime | None:
    """Parses `yyyyMMddHHmmss`; UTC+8 is inferred, the pages name no zone."""
    if not _COMPACT_TIME.fullmatch(text):
        return None
    with suppress(ValueError):
        day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
        time = f"{text[8:10]}:{text[10:12]}:{text[12:]}"
        return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=CHINA)
    return None


def parse_sequence_no(text: str) -> str | None:
    """Parses the platform's number of a call: 32 characters in every sample.

    Twelve to twenty digits alone may be a personal number, and are none.
    """
    if _PERSONAL_NUMBER.fullmatch(text):
        return None
    return matching(r"[A-Za-z0-9]{1,64}", text)


def parse_secret(value: object, *, field: str) -> Secret:
    """Parses a token or ticket: opaque printable ASCII. Raises MalformedReplyError."""
    text = value if isinstance(value, str) else ""
    if 0 < len(text) <= _MAX_TEXT and text.isascii() and text.isprintable():
        return Secret(text)
    raise MalformedReplyError(Cause.REPLY_MALFORMED, field)


def parse_lifetime(value: object, *, cap: timedelta) -> timedelta:
    """Parses `expire_in` in seconds, int or text, clamped to `cap`.

    It alone counts; `expire_time` is for display (1007/37304).

    Raises:
        MalformedReplyError: it is no positive number.
    """
    seconds = matching(r"[0-9]{1,18}", to_text(value))
    if not seconds or not int(seconds):
        raise MalformedReplyError(Cause.REPLY_MALFORMED, "lifetime")
    return timedelta(seconds=min(int(seconds), cap.total_seconds()))


def matching(pattern: str, text: str) -> str | None:
    """Returns the text if all of it matches, else None."""
    return text if re.fullmatch(pattern, text) else None

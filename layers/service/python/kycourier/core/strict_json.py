"""Parses JSON strictly: UTF-8, no duplicate keys, no NaN, bounded depth and numbers."""

import codecs
import json
from collections.abc import Callable, Sequence
from typing import NoReturn

from kycourier.core.errors import KycourierError

_Pairs = list[tuple[str, object]]
_LENIENT = ("utf-8", "replace")
_LONG = 1024
_MAX_QUOTES = 2000
_MAX_DIGITS = 100
_MARKER = "@"
_STRUCTURE = (b"{", b"[", b",", b":")
_MAX_STRUCTURE = 50_000


class MalformedJsonError(KycourierError):
    """The bytes are not JSON as RFC 8259 and I-JSON define it."""

    code = "malformed_json"


def parse_json(text: bytes | memoryview) -> object:
    """Parses `text` to Python values.

    Raises:
        MalformedJsonError: another encoding, a BOM, truncated or trailing text,
            duplicate keys, NaN, infinities, integers of over 100 digits, or nesting
            deeper than the parser's stack.
    """
    try:
        return _DECODER.decode(str(text, "utf-8"))
    except (ValueError, RecursionError):
        pass  # raised below: the foreign error carries the text itself
    raise MalformedJsonError


def parse_json_with_views(text: bytes) -> object:
    """Parses the platform's JSON; long strings become views of `text`.

    A member's long string without escapes (a photo) is neither decoded nor copied, and
    its characters are not checked. Anything unusual falls back to a full parse. More is
    tolerated than by `parse_json`: a BOM, bytes that are not UTF-8 (each becomes
    U+FFFD), and a key that is repeated with the same value.

    Raises:
        MalformedJsonError: as `parse_json`, and for more than 50 000 members and
            elements, which would fill the memory.
    """
    text = text.removeprefix(codecs.BOM_UTF8)
    pieces, views = _cut_long_strings(text)
    if views and not any(map(_may_hold_marker, pieces)):
        _refuse_many(pieces)
        inserted: list[memoryview] = []

        def insert_views(pairs: _Pairs) -> dict[str, object]:
            for at, (name, value) in enumerate(pairs):
                if isinstance(value, str) and value.startswith(_MARKER):
                    pairs[at] = name, views[int(value[1:])]
                    inserted.append(views[int(value[1:])])
            return _merge_duplicates(pairs)

        try:
            value = _decoder(insert_views).decode(str(_join(pieces), *_LENIENT))
        except (ValueError, RecursionError):
            inserted.clear()
        if len(inserted) == len(views):
            return value
    _refuse_many([text])
    try:
        return _decoder(_merge_duplicates).decode(str(text, *_LENIENT))
    except (ValueError, RecursionError):
        pass  # raised below: the foreign error carries the text itself
    raise MalformedJsonError


def _cut_long_strings(text: bytes) -> tuple[list[bytes], list[memoryview]]:
    """Splits the text at strings over a kilobyte: the rest, and views of them.

    If two distant quotes do not enclose a string, the rest is not JSON either.
    """
    pieces: list[bytes] = []
    views: list[memoryview] = []
    kept = before = 0
    for _ in range(_MAX_QUOTES):
        quote = text.find(b'"', before)
        if quote < 0:
            return [*pieces, text[kept:]], views
        if quote - before > _LONG and text.find(b"\\", before, quote) < 0:
            pieces.append(text[kept:before])
            views.append(memoryview(text)[before:quote])
            kept = quote
        before = quote + 1
    return [text], []


def _join(pieces: Sequence[bytes]) -> bytes:
    """Joins the pieces, with `@` and a number in place of each string."""
    first, *others = pieces
    marked = (
        b"%s%d%s" % (_MARKER.encode(), at, each) for at, each in enumerate(others)
    )
    return b"".join((first, *marked))


def _may_hold_marker(piece: bytes) -> bool:
    return b'"@' in piece or b"\\u0040" in piece


def _refuse_many(pieces: Sequence[bytes]) -> None:
    """Raises MalformedJsonError if there are too many members and elements."""
    counts = (piece.count(each) for piece in pieces for each in _STRUCTURE)
    if sum(counts) > _MAX_STRUCTURE:
        raise MalformedJsonError


def _refuse_duplicates(pairs: _Pairs) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _merge_duplicates(pairs: _Pairs) -> dict[str, object]:
    """Builds an object; a repeated key must have an equal value of the same type."""
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    members.clear()
    for name, value in pairs:
        first = members.setdefault(name, value)
        if first is not value and (type(first) is not type(value) or first != value):
            raise ValueError
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError


def _parse_int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError
    return int(digits)


def _decoder(hook: Callable[[_Pairs], dict[str, object]]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=hook, parse_int=_parse_int, parse_constant=_refuse_constant
    )


_DECODER = _decoder(_refuse_duplicates)

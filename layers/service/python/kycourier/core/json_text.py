"""Strict JSON: UTF-8, no duplicate keys, no NaN, bounded depth and numbers."""

import json
from collections.abc import Callable, Sequence
from typing import NoReturn

from kycourier.core.errors import KycourierError

_Pairs = list[tuple[str, object]]
_LONG = 1024
_MOST_QUOTES = 2000
_MOST_DIGITS = 100
_MARK = "@"
_STRUCTURE = (b"{", b"[", b",", b":")
_MOST_STRUCTURE = 50_000


class MalformedJson(KycourierError):  # noqa: N818 - reads as a fact
    """The bytes are not JSON as RFC 8259 and I-JSON want it."""

    code = "malformed_json"


def parse_json(text: bytes | memoryview) -> object:
    """Parse `text` to Python values, or raise MalformedJson.

    Refused: other encodings and a BOM, cut or trailing text, duplicate keys, NaN and
    infinities, integers of over 100 digits, nesting deeper than the parser's stack.
    """
    try:
        return _DECODER.decode(str(text, "utf-8"))
    except (ValueError, RecursionError):
        pass  # raised below: the foreign error carries the text itself
    raise MalformedJson


def parse_json_with_views(text: bytes) -> object:
    """Parse as `parse_json` does, but give long strings as views of `text`.

    A member's long string without escapes (a photo) is neither decoded nor copied, and
    its characters are not looked at. Anything odd is parsed the plain way. Refused
    besides: members and elements by the ten thousand, which would fill the memory.
    """
    pieces, views = _cut_long_strings(text)
    if views and not any(map(_may_hold_mark, pieces)):
        _refuse_crowd(pieces)
        placed: list[memoryview] = []

        def place(pairs: _Pairs) -> dict[str, object]:
            members = _refuse_duplicates(pairs)
            for name, value in members.items():
                if isinstance(value, str) and value.startswith(_MARK):
                    members[name] = view = views[int(value[1:])]
                    placed.append(view)
            return members

        try:
            value = _decoder(place).decode(str(_mark(pieces), "utf-8"))
        except (ValueError, RecursionError):
            placed.clear()
        if len(placed) == len(views):
            return value
    _refuse_crowd([text])
    return parse_json(text)


def _cut_long_strings(text: bytes) -> tuple[list[bytes], list[memoryview]]:
    """Cut out what stands between two distant quotes; give what stays, and that.

    Where it was not a string at all, what stays is no JSON around a string either.
    """
    pieces: list[bytes] = []
    views: list[memoryview] = []
    kept = before = 0
    for _ in range(_MOST_QUOTES):
        quote = text.find(b'"', before)
        if quote < 0:
            return [*pieces, text[kept:]], views
        if quote - before > _LONG and text.find(b"\\", before, quote) < 0:
            pieces.append(text[kept:before])
            views.append(memoryview(text)[before:quote])
            kept = quote
        before = quote + 1
    return [text], []


def _mark(pieces: Sequence[bytes]) -> bytes:
    """Put `@` and its number where each string was cut out."""
    first, *others = pieces
    marked = (b"%s%d%s" % (_MARK.encode(), at, each) for at, each in enumerate(others))
    return b"".join((first, *marked))


def _may_hold_mark(piece: bytes) -> bool:
    return b'"@' in piece or b"\\u0040" in piece


def _refuse_crowd(pieces: Sequence[bytes]) -> None:
    """Raise MalformedJson for members and elements by the ten thousand."""
    counts = (piece.count(each) for piece in pieces for each in _STRUCTURE)
    if sum(counts) > _MOST_STRUCTURE:
        raise MalformedJson


def _refuse_duplicates(pairs: _Pairs) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError
    return members


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError


def _parse_int(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError
    return int(digits)


def _decoder(hook: Callable[[_Pairs], dict[str, object]]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=hook, parse_int=_parse_int, parse_constant=_refuse_constant
    )


_DECODER = _decoder(_refuse_duplicates)

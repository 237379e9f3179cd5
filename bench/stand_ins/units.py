"""What DynamoDB would bill: request units, by its rules for sizes."""

import math
from collections.abc import Mapping

Item = Mapping[str, Mapping[str, str]]
WRITTEN, READ = "write units", "read units"
_WRITE_BYTES, _READ_BYTES = 1024, 4096
_INDEXED = ("part", "entry")


def size_of(item: Item) -> int:
    """Give an item's bytes: names and values, bytes without their Base64."""
    return sum(len(name) + _value_size(value) for name, value in item.items())


def units_written(before: Item, after: Item) -> int:
    """Bill a write: each begun kilobyte of the larger of both.

    An entry of the index is one more where it is made or taken away, two where moved.
    """
    size = max(size_of(before), size_of(after))
    was, is_now = ([item.get(name) for name in _INDEXED] for item in (before, after))
    moved = was != is_now
    entries = sum(moved and None not in each for each in (was, is_now))
    return max(1, math.ceil(size / _WRITE_BYTES)) + entries


def units_read(item: Item | None) -> int:
    """Bill a strong read: each begun four kilobytes; one for an item that is absent."""
    return max(1, math.ceil(size_of(item or {}) / _READ_BYTES))


def _value_size(value: Mapping[str, str]) -> int:
    [(kind, text)] = value.items()
    if kind == "B":
        return len(text) * 3 // 4 - text.count("=")
    return len(text)

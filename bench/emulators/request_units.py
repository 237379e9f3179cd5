"""DynamoDB's request units, by its rules for item sizes."""

import math
from collections.abc import Mapping

Item = Mapping[str, Mapping[str, str]]
WRITTEN, READ = "write units", "read units"
_WRITE_BYTES, _READ_BYTES = 1024, 4096
_INDICES = (("part", "entry"), ("ended", "found"))


def item_size(item: Item) -> int:
    """Returns an item's bytes: names and values, binary values without Base64."""
    return sum(len(name) + _value_size(value) for name, value in item.items())


def write_units(before: Item, after: Item) -> int:
    """Returns the units of a write: one for each KiB of the larger item.

    Each index adds one unit when an entry is added or removed, two when it is moved.
    """
    size = max(item_size(before), item_size(after))
    entries = sum(_changed_entries(names, before, after) for names in _INDICES)
    return max(1, math.ceil(size / _WRITE_BYTES)) + entries


def read_units(item: Item | None) -> int:
    """Returns the units of a consistent read: one for each 4 KiB, at least one."""
    return max(1, math.ceil(item_size(item or {}) / _READ_BYTES))


def _changed_entries(names: tuple[str, str], before: Item, after: Item) -> int:
    was, is_now = ([item.get(name) for name in names] for item in (before, after))
    return sum(was != is_now and None not in each for each in (was, is_now))


def _value_size(value: Mapping[str, str]) -> int:
    [(kind, text)] = value.items()
    if kind == "B":
        return len(text) * 3 // 4 - text.count("=")
    return len(text)

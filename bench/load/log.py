"""What the functions logged: how much, and what besides an order's usual lines."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

_USUAL = {"order_registered", "order_settled", "event_sent", "sweep_finished"}


class Log(Struct, frozen=True):
    """Bytes in all; facts that are not each order's, and how often."""

    size: int
    rare: Mapping[str, int]


def read_log(path: Path) -> Log:
    """Read a log. A line that is no fact is counted as such; metrics are lines too."""
    facts: Counter[str] = Counter()
    size = 0
    with path.open("rb") as lines:
        for line in lines:
            size += len(line)
            facts[_name(line)] += 1
    rare = {name: facts[name] for name in sorted(facts) if name not in _USUAL}
    rare.pop("", None)
    return Log(size, rare)


def _name(line: bytes) -> str:
    """Name a line's fact; nothing for metrics."""
    try:
        members = json.loads(line)
    except ValueError:
        return "lines that are no JSON"
    if "_aws" in members:
        return ""
    return str(members.get("message", "lines without a fact"))

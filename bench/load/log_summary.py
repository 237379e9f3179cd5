"""Summarizes the functions' log: its size, and the events that not every order logs."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

_USUAL = {"order_registered", "order_settled", "event_published", "sweep_finished"}
_METRICS = ""


class LogSummary(Struct, frozen=True):
    """The size in bytes, and the count of each unusual event."""

    size: int
    unusual: Mapping[str, int]


def read_log(path: Path) -> LogSummary:
    """Reads a log; lines that are not JSON count as an event, metrics do not."""
    counts: Counter[str] = Counter()
    size = 0
    with path.open("rb") as lines:
        for line in lines:
            size += len(line)
            counts[_event_name(line)] += 1
    names = sorted(counts.keys() - _USUAL - {_METRICS})
    return LogSummary(size, {name: counts[name] for name in names})


def _event_name(line: bytes) -> str:
    try:
        members = json.loads(line)
    except ValueError:
        return "lines that are not JSON"
    if "_aws" in members:
        return _METRICS
    return str(members.get("message", "lines without an event"))

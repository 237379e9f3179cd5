"""Counts of reliability tests, printed as a table for docs/reliability.md."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

PROPERTY = "figures"
COLUMNS = ("proof", "store", "orders", "messages", "kills", "freezes", "seconds")


class Figures:
    """Records a test's counts."""

    def __init__(self, node: pytest.Item) -> None:
        self._node, self._begun = node, time.monotonic()

    def __call__(self, proof: str, store: str, **counts: int) -> None:
        """Record one row; its seconds run from the test's start."""
        seconds = round(time.monotonic() - self._begun)
        row = {"proof": proof, "store": store, **counts, "seconds": seconds}
        self._node.user_properties.append((PROPERTY, row))


def rows_of(reports: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Return the rows of all test reports."""
    called = [each for each in reports if getattr(each, "when", None) == "call"]
    kept = [each for report in called for each in report.user_properties]
    return [row for name, row in kept if name == PROPERTY]


def table(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Render rows as a Markdown table."""
    yield f"| {' | '.join(name.capitalize() for name in COLUMNS)} |"
    yield f"|{'---|' * len(COLUMNS)}"
    for row in sorted(rows, key=lambda row: (row["proof"], row["store"])):
        yield f"| {' | '.join(str(row.get(name, '')) for name in COLUMNS)} |"

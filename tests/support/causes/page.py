"""Reads and writes the sections of docs/reference/causes.md."""

import re
from collections.abc import Iterable, Mapping, Sequence

from kycourier_devkit.repository import ROOT
from support.causes.observations import PLACES, Observation

PAGE = ROOT / "docs/reference/causes.md"
_INTRODUCTION = """# Where each cause is shown

A row for each [cause](../operations.md#causes): what brought it about in a real run
against the sandbox, and what each place then printed. Times, ids, ports and the order's
number are replaced. Where a place cannot name the cause, its cell says why.

- `show` is `kycourier show ORDER`; `serve` the lines that `kycourier serve` prints.
- `doctor` exits with 1 if no order can be collected now. It counts the orders that are
  due: between two attempts, orders that fail are not.
- A log event is shown with its fields, a metric with the alarm of `template.yaml` on
  it. `OrderFailingAlarm` rings when an order has failed for three minutes, whatever the
  cause; the alarm of a cause's class rings earlier.

`tests/devkit/test_causes_in_all_places.py` makes this page from what is printed: run it
with `--write-causes -n0`. It fails if a place does not name a cause, or if the page
differs.
"""
_HEAD = f"| Cause | Brought about by | {' | '.join(PLACES)} |"
_RULE = f"|{'---|' * (2 + len(PLACES))}"


def build_section(title: str, observations: Iterable[Observation]) -> str:
    """Builds the section of one run."""
    rows = (each.row() for each in observations)
    return "\n".join([f"## {title}", "", _HEAD, _RULE, *rows, ""])


def read_sections() -> dict[str, str]:
    """Returns the sections of the page by title; none if there is no page."""
    text = PAGE.read_text("utf-8") if PAGE.exists() else ""
    _, *parts = re.split("(?m)^## ", text)
    return {part.partition("\n")[0]: f"## {part.strip()}\n" for part in parts}


def write_section(title: str, section: str, titles: Sequence[str]) -> None:
    """Writes the page with this section; keeps the others of `titles`, in order."""
    PAGE.write_text(build_page({**read_sections(), title: section}, titles), "utf-8")


def build_page(sections: Mapping[str, str], titles: Sequence[str]) -> str:
    """Builds the page of those of `titles` that have a section."""
    known = [sections[title] for title in titles if title in sections]
    return "\n".join([_INTRODUCTION, *known])


def causes_of(section: str) -> list[str]:
    """Returns the causes of a section's rows."""
    return re.findall(r"(?m)^\| `(\w+)` \|", section)

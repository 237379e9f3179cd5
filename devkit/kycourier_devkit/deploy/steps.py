"""One line of the plan each: what is found and wanted, and how it is brought about."""

import textwrap
from collections.abc import Callable, Sequence

from msgspec import Struct

from kycourier_devkit.screen import Screen

CREATE, UPDATE, CLOSE = "create", "update", "close"
KEEP, CANNOT, UNCHECKED = "keep", "cannot", "unchecked"
CHANGES = {CREATE: "created", UPDATE: "updated", CLOSE: "closed"}
_COLUMNS, _INDENT = 80, 21


class Step(Struct, frozen=True):
    """What is to be done to a thing, and why; `act` does it. Never a secret's value."""

    mark: str
    kind: str
    name: str
    why: str = ""
    act: Callable[[], None] | None = None


def changes(steps: Sequence[Step]) -> list[Step]:
    """Give the steps that change something."""
    return [step for step in steps if step.mark in CHANGES]


def show(screen: Screen, steps: Sequence[Step]) -> None:
    """Show a plan, in 80 columns."""
    for step in steps:
        for line in tell(step.mark, step):
            screen.line(line)


def tell(mark: str, step: Step) -> list[str]:
    """Give a step's lines: the mark, the kind, the name, and why."""
    head = f"{mark:<9}  {step.kind:<9} {step.name}"
    if not step.why:
        return [head]
    if len(head) + 2 + len(step.why) <= _COLUMNS:
        return [f"{head}  {step.why}"]
    rest = textwrap.wrap(
        step.why,
        _COLUMNS,
        initial_indent=" " * _INDENT,
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [head, *rest]

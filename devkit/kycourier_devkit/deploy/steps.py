"""The steps of a plan, and how they are shown in 80 columns."""

import textwrap
from collections.abc import Callable, Sequence

from msgspec import Struct

from kycourier_devkit.cli.terminal import Terminal

CREATE, UPDATE, CLOSE = "create", "update", "close"
KEEP, CANNOT, UNCHECKED = "keep", "cannot", "unchecked"
CHANGES = {CREATE: "created", UPDATE: "updated", CLOSE: "closed"}
_COLUMNS, _INDENT = 80, 21


class Step(Struct, frozen=True):
    """A change of one resource, or why there is none; holds no secret.

    `mark` is one of the words above; `act` makes the change.
    """

    mark: str
    kind: str
    name: str
    reason: str = ""
    act: Callable[[], None] | None = None


def select_changes(steps: Sequence[Step]) -> list[Step]:
    """Returns the steps that change something."""
    return [step for step in steps if step.mark in CHANGES]


def print_plan(screen: Terminal, steps: Sequence[Step]) -> None:
    """Prints all steps."""
    for step in steps:
        for line in render(step.mark, step):
            screen.line(line)


def render(mark: str, step: Step) -> list[str]:
    """Returns a step's lines: mark, kind, name and reason."""
    head = f"{mark:<9}  {step.kind:<9} {step.name}"
    if not step.reason:
        return [head]
    if len(head) + 2 + len(step.reason) <= _COLUMNS:
        return [f"{head}  {step.reason}"]
    rest = textwrap.wrap(
        step.reason,
        _COLUMNS,
        initial_indent=" " * _INDENT,
        subsequent_indent=" " * _INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [head, *rest]

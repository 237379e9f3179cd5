"""What a goal is: a module in goals/ with one of these, found by listing."""

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import iter_modules

from msgspec import Struct

from bench import goals
from bench.figures import Figure
from bench.stage import Stage

Measured = tuple[Sequence[Figure], Sequence[str]]


class Goal(Struct, frozen=True):
    """One goal of docs/performance.md: its number, its title, and how it is measured.

    `measure` gives figures, and sentences for whoever reads them.
    """

    number: str
    title: str
    measure: Callable[[Stage], Measured]


def find_goals(only: str | None = None) -> list[Goal]:
    """Find all goals in their order, or those of `only` (`G5`, `G5,G6`)."""
    names = sorted(module.name for module in iter_modules(goals.__path__))
    found: list[Goal] = [
        import_module(f"bench.goals.{name}").GOAL
        for name in names
        if re.match("g[0-9]{2}_", name)
    ]
    if only is None:
        return found
    wanted = only.upper().split(",")
    return [goal for goal in found if goal.number in wanted]

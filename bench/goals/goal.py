"""What a goal is, and how its module is found."""

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pkgutil import walk_packages

from msgspec import Struct

from bench import goals
from bench.environment.bench_environment import BenchEnvironment
from bench.measure.figures import Figure

Measured = tuple[Sequence[Figure], Sequence[str]]


class Goal(Struct, frozen=True):
    """One goal of docs/performance.md: its number, its title, and how it is measured.

    `measure` returns figures, and notes for the reader.
    """

    number: str
    title: str
    measure: Callable[[BenchEnvironment], Measured]


def find_goals(only: str | None = None) -> list[Goal]:
    """Returns all goals by number, or those of `only` (`G5`, `G5,G6`)."""
    modules = walk_packages(goals.__path__, prefix="bench.goals.")
    names = [each.name for each in modules if re.search(r"\.g[0-9]{2}_", each.name)]
    names.sort(key=lambda name: name.rpartition(".")[2])
    found: list[Goal] = [import_module(name).GOAL for name in names]
    if only is None:
        return found
    numbers = only.upper().split(",")
    return [goal for goal in found if goal.number in numbers]

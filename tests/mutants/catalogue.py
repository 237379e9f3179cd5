"""Registers planted bugs and leaks by name.

A target is `module:qualified.name`, so a rename of it is a change of one word.
"""

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from mutants.planting import wrap

MORE_PLANTS = "MORE_PLANTS"
Change = Callable[..., Any]


class Plant(NamedTuple):
    """One deliberate defect.

    Attributes:
        breaks: An invariant (`I1`), a fault (`fault 12`), or the sink of a leak.
        target: What is replaced, as `module:qualified.name`.
        change: Returns the replacement for the original.
        tests: The fastest tests that catch it, as arguments of pytest.
        finding: Words that the failure must contain: a leak's sink and spelling.
    """

    name: str
    breaks: str
    target: str
    change: Change
    tests: str
    description: str
    finding: tuple[str, ...] = ()


_plants: dict[str, Plant] = {}


def replaces(
    target: str, breaks: str, tests: str, *, finding: tuple[str, ...] = ()
) -> Callable[[Change], Change]:
    """Register the decorated function in place of the function `target`.

    It gets the original function before the arguments of the call.
    """

    def register(function: Change) -> Change:
        def change(original: object) -> object:
            return wrap(function, original)

        return _register(
            function, Plant("", breaks, target, change, tests, "", finding)
        )

    return register


def edits(target: str, breaks: str, tests: str) -> Callable[[Change], Change]:
    """Register the decorated function, which returns another value of a constant."""
    return lambda function: _register(
        function, Plant("", breaks, target, function, tests, "")
    )


def _register(function: Change, plant: Plant) -> Change:
    name, description = function.__name__, function.__doc__ or ""
    if name in _plants:
        raise ValueError(f"two planted bugs are named {name}")
    _plants[name] = plant._replace(name=name, description=description)
    return function


def load_plants() -> dict[str, Plant]:
    """Import all modules that register plants; return the plants by name.

    `MORE_PLANTS` in the environment names one more module: the runner's own tests.
    """
    for path in sorted((Path(__file__).parent / "bugs").glob("[a-z]*.py")):
        import_module(f"mutants.bugs.{path.stem}")
    import_module("mutants.leaks")
    if more := os.environ.get(MORE_PLANTS):  # noqa: TID251 - a test program
        import_module(more)
    return _plants

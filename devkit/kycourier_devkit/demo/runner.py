"""Runs the steps of a scenario and prints the result of every check."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.errors import DevkitError

E = TypeVar("E")


class Check(Struct, frozen=True):
    """One expectation of a step, and whether it was met."""

    text: str
    passed: bool


class Step(Struct, Generic[E], frozen=True):
    """One step; environments that cannot run it refer to its `name`."""

    name: str
    title: str
    run: Callable[[E], Iterator[Check]]


def run_steps(
    screen: Terminal,
    environment: E,
    steps: Sequence[Step[E]],
    *,
    not_included: Mapping[str, str],
) -> int:
    """Runs the steps that are included and prints their checks.

    Args:
        screen: Where the checks are printed.
        environment: What the steps run in.
        steps: The scenario.
        not_included: Names of steps to leave out, with the reason, which is printed.

    Returns:
        The number of failed steps.
    """
    included = [step for step in steps if step.name not in not_included]
    failed = sum(
        not _run_and_print(screen, environment, number, step)
        for number, step in enumerate(included, 1)
    )
    if not_included:
        _print_not_included(screen, not_included)
    return failed


def _print_not_included(screen: Terminal, not_included: Mapping[str, str]) -> None:
    names_by_reason: dict[str, list[str]] = {}
    for name, reason in not_included.items():
        names_by_reason.setdefault(reason, []).append(name)
    screen.line()
    screen.line("Not part of this demo:")
    for reason, names in names_by_reason.items():
        screen.line(f"    {', '.join(names)}: {reason}")


def _run_and_print(
    screen: Terminal, environment: E, number: int, step: Step[E]
) -> bool:
    screen.line(f"{number:>2}  {step.title}", style="bold")
    passed = True
    for check in run_step(step, environment):
        screen.item("ok" if check.passed else "NO", check.text, indent=4)
        passed = passed and check.passed
    return passed


def run_step(step: Step[E], environment: E) -> Iterator[Check]:
    """Runs one step; an error that ends it early is a failed check."""
    try:
        yield from step.run(environment)
    except DevkitError as error:
        yield Check(str(error), passed=False)
    except (LookupError, TypeError, ValueError) as error:
        name = type(error).__name__
        yield Check(f"the response has an unexpected form ({name})", passed=False)

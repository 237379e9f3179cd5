"""A demo's script: steps that tell what is done, and check what comes of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from msgspec import Struct

from kycourier_devkit.errors import DevkitError
from kycourier_devkit.screen import Screen

S = TypeVar("S")


class Seen(Struct, frozen=True):
    """One thing that a step shows, and whether it was so."""

    text: str
    holds: bool


class Step(Struct, Generic[S], frozen=True):
    """What is done, in a line, and what is to be seen on the stage then."""

    title: str
    play: Callable[[S], Iterator[Seen]]


def play_steps(screen: Screen, stage: S, steps: Sequence[Step[S]]) -> int:
    """Play every step and show what is seen; give how many were not so."""
    return sum(
        not _play(screen, stage, number, step) for number, step in enumerate(steps, 1)
    )


def _play(screen: Screen, stage: S, number: int, step: Step[S]) -> bool:
    """Play one step; tell whether all of it was so."""
    screen.line(f"{number:>2}  {step.title}", style="bold")
    good = True
    for seen in watch(step, stage):
        screen.item("ok" if seen.holds else "NO", seen.text, indent=4)
        good = good and seen.holds
    return good


def watch(step: Step[S], stage: S) -> list[Seen]:
    """Give what is seen of a step; one that breaks off is not taken for good."""
    seen: list[Seen] = []
    try:
        seen.extend(step.play(stage))
    except DevkitError as error:
        seen.append(Seen(str(error), holds=False))
    except (LookupError, TypeError, ValueError) as error:
        name = type(error).__name__
        seen.append(Seen(f"the answer is not what was expected ({name})", holds=False))
    return seen

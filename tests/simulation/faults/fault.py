"""What a fault is, and the register of all."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulation.gate import Rule, Strike
from simulation.plan import Plan
from simulation.world import RunWorld

Shape = Callable[[Plan], None]
Arrange = Callable[[RunWorld, Plan, Random], None]
Broken = Callable[[RunWorld, Plan], list[str]]


@dataclass(frozen=True)
class Fault:
    """One row of the table. `broken` names what of "must hold" did not, alone."""

    number: int
    words: str
    shape: Shape
    arrange: Arrange
    broken: Broken
    sees: tuple[str, ...]


FAULTS: dict[int, Fault] = {}


def fault(
    number: int,
    words: str,
    *,
    shape: Shape = lambda _: None,
    broken: Broken = lambda *_: [],
    sees: tuple[str, ...] = (),
) -> Callable[[Arrange], Arrange]:
    """Register a fault; the function below arranges it in a world.

    `sees` are the rare states that some run with this fault alone must meet.
    """

    def register(arrange: Arrange) -> Arrange:
        assert number not in FAULTS
        FAULTS[number] = Fault(number, words, shape, arrange, broken, sees)
        return arrange

    return register


def during(
    number: int,
    calls: str,
    strike: Strike,
    *,
    world: RunWorld,
    plan: Plan,
    begins: float = 0.0,
    ends: float = 70.0,
    chance: float = 1.0,
) -> None:
    """Let a rule strike in a window, and the run last until it is over."""
    plan.lasts_until(ends + 5)
    world.add(Rule(str(number), calls, strike, begins, ends, chance))


def times(
    number: int,
    calls: str,
    strike: Strike,
    *,
    world: RunWorld,
    most: int = 1,
    skip: int = 0,
) -> None:
    """Let a rule strike so often, after having let `skip` calls pass."""
    world.add(Rule(str(number), calls, strike, most=most, skip=skip))


def facts(world: RunWorld, name: str) -> list[dict[str, str | float | None]]:
    """Give the fields of each fact of that name."""
    return [fields for fact, fields in world.journal.notes if fact == name]


def checked(*claims: tuple[bool, str]) -> list[str]:
    """Name the claims that do not hold."""
    return [words for holds, words in claims if not holds]

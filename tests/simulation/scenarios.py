"""Which scenario a seed stands for: every kind in turn, drawn from the seed alone."""

from dataclasses import replace
from random import Random

from simulation.faults import FAULTS
from simulation.run import Scenario

LARGE = {30, 49}  # hundreds of machines or messages: alone, not in mixes
SMALL = tuple(sorted(set(FAULTS) - LARGE))
MOST_CALLS = 120
KINDS = ("alone", "duplicate", "crash", "mix", "mix", "mix", "mix")


def scenario_of(seed: int) -> Scenario:
    """Draw a scenario: a fault alone, with a duplicate, with a crash, or a mix."""
    dice = Random(seed)  # noqa: S311 - repeatable on purpose
    kind = KINDS[seed % len(KINDS)]
    if kind == "alone":
        return Scenario(seed, (dice.choice(sorted(FAULTS)),))
    if kind == "duplicate":
        return Scenario(seed, (dice.choice(SMALL),), duplicates=1)
    if kind == "crash":
        return crash(seed, dice.choice(SMALL), dice.randint(1, MOST_CALLS))
    return Scenario(
        seed,
        tuple(sorted(dice.sample(SMALL, dice.randint(1, 6)))),
        orders=dice.randint(1, 4),
        duplicates=dice.choice((0, 0, 1, 3)),
        reopens=dice.random() < 0.5,
    )


def crash(seed: int, fault: int, call: int) -> Scenario:
    """Let the machine die that makes this call, after its effect."""
    return Scenario(seed, (fault,), orders=2, crash_after=call)


def smaller(scenario: Scenario) -> list[Scenario]:
    """Give scenarios that have less in them, the least first."""
    faults = scenario.faults
    fewer = [replace(scenario, faults=(each,)) for each in faults if len(faults) > 1]
    fewer += [
        replace(scenario, faults=faults[:at] + faults[at + 1 :])
        for at in range(len(faults))
        if len(faults) > 1
    ]
    if scenario.crash_after is not None:
        fewer.append(replace(scenario, crash_after=None))
    if scenario.duplicates:
        fewer.append(replace(scenario, duplicates=0))
    if scenario.reopens:
        fewer.append(replace(scenario, reopens=False))
    if scenario.orders > 1:
        fewer.append(replace(scenario, orders=1))
        fewer.append(replace(scenario, orders=scenario.orders - 1))
    return fewer

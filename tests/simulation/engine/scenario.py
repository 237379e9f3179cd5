"""Scenarios: what makes a run, which one a seed stands for, and how to reduce one."""

from dataclasses import dataclass, replace
from random import Random

from simulation.faults import FAULTS

LARGE = {30, 49}  # hundreds of machines or messages: alone, not in mixes
SMALL = tuple(sorted(set(FAULTS) - LARGE))
MAX_CALLS = 120
KINDS = ("alone", "duplicate", "crash", "mix", "mix", "mix", "mix")


@dataclass(frozen=True)
class Scenario:
    """The input of a run. Equal scenarios give equal traces, byte for byte."""

    seed: int
    faults: tuple[int, ...] = ()
    orders: int = 3
    duplicates: int = 0
    crash_after: int | None = None
    reopens: bool = False

    @property
    def is_single_fault(self) -> bool:
        """Return whether the run must also pass the check of its one fault."""
        return len(self.faults) <= 1 and self.crash_after is None and not self.reopens

    def command(self) -> str:
        """Return the command that runs it again."""
        parts = [
            "PYTHONPATH=tests .venv/bin/python -m simulation",
            str(self.seed),
            f"--orders {self.orders}",
        ]
        if self.faults:
            parts.append("--faults " + ",".join(map(str, self.faults)))
        if self.duplicates:
            parts.append(f"--duplicates {self.duplicates}")
        if self.crash_after is not None:
            parts.append(f"--crash-after {self.crash_after}")
        if self.reopens:
            parts.append("--reopen")
        return " ".join(parts)


def draw_scenario(seed: int) -> Scenario:
    """Draw one fault alone, with a duplicate or with a crash, or a mix of faults."""
    rng = Random(seed)  # noqa: S311 - repeatable on purpose
    kind = KINDS[seed % len(KINDS)]
    if kind == "alone":
        return Scenario(seed, (rng.choice(sorted(FAULTS)),))
    if kind == "duplicate":
        return Scenario(seed, (rng.choice(SMALL),), duplicates=1)
    if kind == "crash":
        return crash_scenario(seed, rng.choice(SMALL), rng.randint(1, MAX_CALLS))
    return Scenario(
        seed,
        tuple(sorted(rng.sample(SMALL, rng.randint(1, 6)))),
        orders=rng.randint(1, 4),
        duplicates=rng.choice((0, 0, 1, 3)),
        reopens=rng.random() < 0.5,
    )


def crash_scenario(seed: int, fault: int, call: int) -> Scenario:
    """Build a scenario in which a machine dies after the effect of port call `call`."""
    return Scenario(seed, (fault,), orders=2, crash_after=call)


def smaller_scenarios(scenario: Scenario) -> list[Scenario]:
    """Return the scenario with one part left out, the smallest first."""
    faults = scenario.faults
    smaller = [replace(scenario, faults=(each,)) for each in faults if len(faults) > 1]
    smaller += [
        replace(scenario, faults=faults[:at] + faults[at + 1 :])
        for at in range(len(faults))
        if len(faults) > 1
    ]
    if scenario.crash_after is not None:
        smaller.append(replace(scenario, crash_after=None))
    if scenario.duplicates:
        smaller.append(replace(scenario, duplicates=0))
    if scenario.reopens:
        smaller.append(replace(scenario, reopens=False))
    if scenario.orders > 1:
        smaller.append(replace(scenario, orders=1))
        smaller.append(replace(scenario, orders=scenario.orders - 1))
    return smaller

"""The registry of faults, and the rules that faults are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from simulation.engine.context import RunContext
from simulation.engine.plan import Plan
from simulation.environment.interceptor import FaultAction, FaultRule
from simulation.environment.platform import CardScan


@dataclass(frozen=True)
class FaultRun:
    """One fault in one run."""

    number: int
    context: RunContext
    plan: Plan
    rng: Random

    @property
    def scans(self) -> list[CardScan]:
        return self.plan.scans

    def at(self, time: float, callback: Callable[[], object]) -> None:
        self.context.scheduler.at(time, callback)

    def log_events(self, name: str) -> list[dict[str, str | float | None]]:
        return self.context.log_events(name)

    def expect(self, holds: bool, message: str) -> None:  # noqa: FBT001 - as assert
        """Report a violation of what this fault's row demands, unless it holds."""
        if not holds:
            self.context.findings.report(f"fault {self.number}", message)

    def during(
        self,
        calls: str,
        action: FaultAction,
        *,
        starts_at: float = 0.0,
        ends_at: float = 70.0,
        chance: float = 1.0,
    ) -> None:
        """Add a rule for a window of time, and extend the run until it is over."""
        self.plan.extend_faults_to(ends_at + 5)
        self.add_rule(
            calls, action, starts_at=starts_at, ends_at=ends_at, chance=chance
        )

    def once(self, calls: str, action: FaultAction, *, skip: int = 0) -> None:
        """Add a rule for one call, after the first `skip` calls."""
        self.add_rule(calls, action, limit=1, skip=skip)

    def add_rule(self, calls: str, action: FaultAction, **limits: object) -> None:
        """Add a rule whose applications count as injections of this fault."""
        self.context.add_rule(FaultRule(str(self.number), calls, action, **limits))

    def count(self) -> None:
        """Count an injection that no rule counts."""
        self.context.count_injection(str(self.number))

    def count_each_machine(self) -> None:
        """Count the start of each machine as an injection."""
        self.context.on_new_machine.append(lambda _: self.count())

    def count_each_response(self) -> None:
        """Count each response to a query as an injection."""
        self.context.platform.on_response.append(self.count)


Configure = Callable[[Plan], None]
Inject = Callable[[FaultRun], None]
Check = Callable[[FaultRun], None]


@dataclass(frozen=True)
class Fault:
    """One row of the fault table.

    Attributes:
        number: The row of the table in docs/reliability.md.
        title: What fails.
        configure: Changes the plan before the run.
        inject: Adds the fault to a run.
        check: Checks the row's "must hold" at the end, if this was the only fault.
        expects: Rare states that some run with this fault alone must reach.
    """

    number: int
    title: str
    configure: Configure
    inject: Inject
    check: Check
    expects: tuple[str, ...]


FAULTS: dict[int, Fault] = {}


def fault(
    number: int,
    title: str,
    *,
    configure: Configure = lambda _: None,
    check: Check = lambda _: None,
    expects: tuple[str, ...] = (),
) -> Callable[[Inject], Inject]:
    """Register the decorated function as the one that injects a fault; see `Fault`."""

    def register(inject: Inject) -> Inject:
        assert number not in FAULTS
        FAULTS[number] = Fault(number, title, configure, inject, check, expects)
        return inject

    return register


def without_registration(plan: Plan) -> None:
    """Announce all orders by the queue or the API, so that each is queried at once."""
    plan.channels = ("queue", "api")

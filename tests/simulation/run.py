"""One run: a scenario in, what was violated, met and seen out."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulation.clients import Clients
from simulation.faults import FAULTS, Fault
from simulation.final import judge_end
from simulation.fleet import COLLECT, REFRESH, SWEEP, Fleet, turns_for_threads
from simulation.plan import Plan
from simulation.sqs import Message
from simulation.verdict import Violation
from simulation.world import RunWorld

Batch = list[tuple[str, Message]]
SETTLE_SECONDS = 900.0
REFRESH_SECONDS, SWEEP_SECONDS = 300.0, 60.0
LOOK_SECONDS = 5.0
WITH_REMINDERS = 0.8  # the others have the sweep alone


@dataclass(frozen=True)
class Scenario:
    """What makes a run; the same scenario is the same run, byte for byte."""

    seed: int
    faults: tuple[int, ...] = ()
    orders: int = 3
    duplicates: int = 0
    crash_after: int | None = None
    reopens: bool = False

    @property
    def is_plain(self) -> bool:
        """Tell whether its fault alone is at work, and held to its own row."""
        return len(self.faults) <= 1 and self.crash_after is None and not self.reopens

    def command(self) -> str:
        """Tell how to run it again."""
        words = [
            ".venv/bin/python -m simulation",
            str(self.seed),
            f"--orders {self.orders}",
        ]
        if self.faults:
            words.append("--faults " + ",".join(map(str, self.faults)))
        if self.duplicates:
            words.append(f"--duplicates {self.duplicates}")
        if self.crash_after is not None:
            words.append(f"--crash-after {self.crash_after}")
        if self.reopens:
            words.append("--reopen")
        return "PYTHONPATH=tests " + " ".join(words)


@dataclass(frozen=True)
class Report:
    """What came of a run."""

    scenario: Scenario
    violation: Violation | None
    trace: tuple[str, ...]
    met: Mapping[str, int]
    seen: Mapping[str, int]
    ends: Mapping[str, str]
    calls: int
    seconds: float

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


def run(scenario: Scenario) -> Report:
    """Run a scenario to its end, or to its first violation."""
    return Run(scenario).go()


class Run:
    """The driver: timers, deliveries, callers and the operator around one world."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.world = RunWorld(scenario.seed)
        self.dice = Random(self.world.dice.getrandbits(32))  # noqa: S311 - repeatable on purpose
        self.world.gate.crash_after = scenario.crash_after
        self.plan = Plan(
            orders=scenario.orders,
            duplicates=scenario.duplicates,
            seed=scenario.seed,
            has_reminders=self.dice.random() < WITH_REMINDERS,
            reopens=scenario.reopens,
            is_alone=scenario.is_plain,
        )
        self.fleet = Fleet(
            self.world, dice=self.dice, has_reminders=self.plan.has_reminders
        )
        self.clients = Clients(self.world, self.fleet, self.plan, dice=self.dice)
        self._collecting = 0
        self._is_over = False
        self._gives_up_at = float("inf")
        self.world.queue.wake = self._deliver
        self.world.queue.is_poison = lambda each: each in self.plan.poison_ids

    def go(self) -> Report:
        with turns_for_threads():
            try:
                return self._go()
            finally:
                self.fleet.stop()

    def _go(self) -> Report:
        world, clockwork = self.world, self.world.clockwork
        faults = [FAULTS[number] for number in self.scenario.faults]
        for fault in faults:
            fault.shape(self.plan)
        world.queue.visibility_seconds = self.plan.visibility_seconds
        self.plan.add_scans(world.platform, self.dice)
        for fault in faults:
            fault.arrange(world, self.plan, self.dice)
        clockwork.at(self.dice.uniform(0, self.plan.first_refresh), self._refresh)
        clockwork.at(self.dice.uniform(5, 60), self._sweep)
        self.clients.come()
        clockwork.at(self.plan.calm_at, self._calm)
        clockwork.run(lambda: self._is_over or world.verdict.violation is not None)
        if world.verdict.violation is None:
            judge_end(world, self.plan, self.fleet, is_mixed=not self.plan.is_alone)
            for fault in faults:
                self._judge_fault(fault)
        return self._report()

    def _judge_fault(self, fault: Fault) -> None:
        """Hold a fault that came alone to its own row of the table."""
        if not self.plan.is_alone or self.world.verdict.violation is not None:
            return
        for what in fault.broken(self.world, self.plan):
            self.world.verdict.violate(f"fault {fault.number}", what)

    def _report(self) -> Report:
        rows = self.world.stores.rows()
        return Report(
            scenario=self.scenario,
            violation=self.world.verdict.violation,
            trace=tuple(self.world.gate.trace),
            met=Counter(self.world.met),
            seen=Counter(self.world.verdict.seen),
            ends={row.order_no: row.state.value for row in rows},
            calls=self.world.gate.calls,
            seconds=self.world.clockwork.now,
        )

    def _refresh(self) -> None:
        event = {"detail-type": "Scheduled Event"}
        self.fleet.invoke(REFRESH, event, lambda _: None)
        self.world.clockwork.after(REFRESH_SECONDS, self._refresh)

    def _sweep(self) -> None:
        self.fleet.invoke(SWEEP, {"detail-type": "Scheduled Event"}, lambda _: None)
        self.world.clockwork.after(SWEEP_SECONDS, self._sweep)

    def _deliver(self) -> None:
        """Hand what is visible to free machines, ten at a time at most."""
        while self._collecting < self.plan.collectors:
            batch = self.world.queue.receive(self.plan.batch)
            if not batch:
                return
            self._collecting += 1
            self._hand_over(batch)

    def _hand_over(self, batch: Batch) -> None:
        record = ckafka_record if self.plan.is_ckafka else sqs_record
        event = {"Records": [record(message) for _, message in batch]}

        def done(answer: object | None) -> None:
            self._collecting -= 1
            self._settle_batch(answer, batch)
            self._deliver()

        limit = self.plan.collect_limit
        self.fleet.invoke(COLLECT, event, done, limit_seconds=limit)

    def _settle_batch(self, answer: object | None, batch: Batch) -> None:
        """Take away what was done; the rest comes back in its time."""
        if not isinstance(answer, dict):
            self.world.verdict.see("whole batch failed")
            return
        if any(message.receives > 1 for _, message in batch):
            self.world.verdict.see("batch again")
        returned = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
        self.plan.note_returned(returned, self.world)
        for handle, message in batch:
            if message.id not in returned:
                self.world.queue.delete(handle)

    def _calm(self) -> None:
        """No fault strikes any more; the operator does what the runbook says."""
        self.world.gate.rules.clear()
        for end in self.plan.at_calm:
            end()
        self.clients.resume_app()
        self.clients.redrive()
        if self.plan.reopens:
            self.clients.reopen_parked()
        self._gives_up_at = self._horizon()
        self._look()

    def _horizon(self) -> float:
        """Tell by when all must have ended: 15 min, or the next published due time."""
        now, wall = self.world.clockwork.now, self.world.stores.clock.now()
        dues = [
            (row.due_at - wall).total_seconds()
            for row in self.world.stores.rows()
            if row.due_at is not None and not row.state.is_final
        ]
        return now + max([SETTLE_SECONDS, *dues]) + 240.0

    def _last_published(self) -> float:
        """Tell until when rows are due for tidying, or may wait to be ready."""
        now, wall = self.world.clockwork.now, self.world.stores.clock.now()
        ends = []
        for row in self.world.stores.rows():
            if row.state.is_final and row.due_at is not None and not row.unsent:
                ends.append(row.due_at)
            elif self.plan.never_ready:
                ends.append(row.deadline_at)
        last = max(((end - wall).total_seconds() for end in ends), default=-now)
        return now + last

    def _look(self) -> None:
        """End the run once nothing is left to do, or the time for it is over."""
        clockwork, queue = self.world.clockwork, self.world.queue
        rows = self.world.stores.rows()
        self._gives_up_at = max(self._gives_up_at, self._last_published() + 240.0)
        poison = self.plan.poison_ids if not self.plan.waits_for_dead_letters else set()
        is_empty = all(each.id in poison for each in queue.messages.values())
        is_quiet = (
            not self.clients.waiting
            and is_empty
            and all(row.state.is_final and row.due_at is None for row in rows)
        )
        is_served = self.plan.accepted <= {row.order_no for row in rows}
        self.clients.redrive()
        if (is_quiet and is_served) or clockwork.now >= self._gives_up_at:
            self._is_over = True
            return
        clockwork.after(LOOK_SECONDS, self._look)


def sqs_record(message: Message) -> dict[str, object]:
    return {"messageId": message.id, "body": message.body}


def ckafka_record(message: Message) -> dict[str, object]:
    offset = int(message.id.removeprefix("m"))
    place = {"topic": "orders", "partition": 0, "offset": offset}
    return {"Ckafka": {**place, "msgKey": "", "msgBody": message.body}}

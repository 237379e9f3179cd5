"""Runs one scenario: timers, deliveries, clients and the operator's steps."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from simulation.engine.context import RunContext
from simulation.engine.plan import Plan
from simulation.engine.scenario import Scenario
from simulation.environment.clients import Clients
from simulation.environment.functions import (
    COLLECT,
    REFRESH,
    SWEEP,
    Function,
    cooperative_threading,
)
from simulation.environment.queue import Message
from simulation.environment.runtime import FunctionRuntime
from simulation.faults import FAULTS, Fault
from simulation.faults.registry import FaultRun
from simulation.invariants.end_of_run import check_end_of_run
from simulation.invariants.findings import Violation

Batch = list[tuple[str, Message]]
SETTLE_SECONDS, MARGIN_SECONDS = 900.0, 240.0
REFRESH_SECONDS, SWEEP_SECONDS = 300.0, 60.0
CHECK_INTERVAL_SECONDS = 5.0
REMINDER_CHANCE = 0.8  # the other runs have only the sweep


@dataclass(frozen=True)
class RunReport:
    """The result of a run."""

    scenario: Scenario
    violation: Violation | None
    trace: tuple[str, ...]
    injected: Mapping[str, int]
    observed: Mapping[str, int]
    ends: Mapping[str, str]
    calls: int
    seconds: float

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()


def run(scenario: Scenario) -> RunReport:
    """Run a scenario to its end, or to its first violation."""
    return Run(scenario).execute()


class Run:
    """The driver of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.context = RunContext(scenario.seed)
        self.rng = Random(self.context.rng.getrandbits(32))  # noqa: S311 - repeatable on purpose
        self.context.interceptor.crash_after = scenario.crash_after
        self.plan = Plan(
            orders=scenario.orders,
            duplicates=scenario.duplicates,
            seed=scenario.seed,
            has_reminders=self.rng.random() < REMINDER_CHANCE,
            reopens=scenario.reopens,
            is_single_fault=scenario.is_single_fault,
        )
        self.runtime = FunctionRuntime(
            self.context, rng=self.rng, has_reminders=self.plan.has_reminders
        )
        self.clients = Clients(self.context, self.runtime, self.plan, rng=self.rng)
        self._collecting = 0
        self._is_over = False
        self._ends_at = float("inf")
        queue = self.context.queue
        queue.on_visible = self._deliver
        queue.is_unprocessable = lambda each: each in self.plan.unprocessable_ids

    def execute(self) -> RunReport:
        with cooperative_threading():
            try:
                return self._execute()
            finally:
                self.runtime.stop()

    def _execute(self) -> RunReport:
        context, scheduler = self.context, self.context.scheduler
        faults = [FAULTS[number] for number in self.scenario.faults]
        for fault in faults:
            fault.configure(self.plan)
        context.queue.visibility_seconds = self.plan.visibility_seconds
        self.plan.add_scans(context.platform, self.rng)
        for fault in faults:
            fault.inject(self._fault_run(fault))
        first = self.rng.uniform(0, self.plan.first_refresh)
        self._start_timer(REFRESH, REFRESH_SECONDS, first)
        self._start_timer(SWEEP, SWEEP_SECONDS, self.rng.uniform(5, 60))
        self.clients.schedule_arrivals()
        scheduler.at(self.plan.faults_end_at, self._stop_faults)
        scheduler.run(lambda: self._is_over or context.findings.violation is not None)
        if context.findings.violation is None:
            check_end_of_run(
                context, self.plan, self.runtime, is_mixed=not self.plan.is_single_fault
            )
            for fault in faults:
                self._check_fault(fault)
        return self._report()

    def _fault_run(self, fault: Fault) -> FaultRun:
        return FaultRun(fault.number, self.context, self.plan, self.rng)

    def _check_fault(self, fault: Fault) -> None:
        """Check what a fault that was alone must hold by its row of the table."""
        if not self.plan.is_single_fault or self.context.findings.violation is not None:
            return
        fault.check(self._fault_run(fault))

    def _report(self) -> RunReport:
        rows = self.context.stores.rows()
        return RunReport(
            scenario=self.scenario,
            violation=self.context.findings.violation,
            trace=tuple(self.context.interceptor.trace),
            injected=Counter(self.context.injected),
            observed=Counter(self.context.findings.observed),
            ends={row.order_no: row.state.value for row in rows},
            calls=self.context.interceptor.calls,
            seconds=self.context.scheduler.now,
        )

    def _start_timer(self, function: Function, every: float, first: float) -> None:
        def tick() -> None:
            event = {"detail-type": "Scheduled Event"}
            self.runtime.invoke(function, event, lambda _: None)
            self.context.scheduler.after(every, tick)

        self.context.scheduler.at(first, tick)

    def _deliver(self) -> None:
        """Deliver visible messages in batches to free collectors."""
        while self._collecting < self.plan.collectors:
            batch = self.context.queue.receive(self.plan.batch)
            if not batch:
                return
            self._collecting += 1
            self._invoke_collector(batch)

    def _invoke_collector(self, batch: Batch) -> None:
        record = ckafka_record if self.plan.is_ckafka else sqs_record
        event = {"Records": [record(message) for _, message in batch]}

        def done(response: object | None) -> None:
            self._collecting -= 1
            self._settle_batch(response, batch)
            self._deliver()

        limit = self.plan.collect_limit
        self.runtime.invoke(COLLECT, event, done, limit_seconds=limit)

    def _settle_batch(self, response: object | None, batch: Batch) -> None:
        """Delete what succeeded; the rest becomes visible again."""
        if not isinstance(response, dict):
            self.context.findings.observe("whole batch failed")
            return
        if any(message.receives > 1 for _, message in batch):
            self.context.findings.observe("batch redelivered")
        returned = {each["itemIdentifier"] for each in response["batchItemFailures"]}
        self.plan.returned |= returned
        self._check_returned(returned)
        for handle, message in batch:
            if message.id not in returned:
                self.context.queue.delete(handle)

    def _check_returned(self, ids: set[str]) -> None:
        """Check that the log names each returned record (I10)."""
        logged = {
            fields.get("source")
            for name in ("record_returned", "message_unprocessable")
            for fields in self.context.log_events(name)
        }
        for each in ids - logged:
            self.context.findings.report("I10", f"{each} was returned without a cause")

    def _stop_faults(self) -> None:
        """End all faults; the operator follows the runbook."""
        self.context.interceptor.rules.clear()
        self.clients.resume_app()
        self.clients.redrive()
        if self.plan.reopens:
            self.clients.reopen_parked()
        self.clients.resend_events()
        self._ends_at = self._settle_deadline()
        self._check_finished()

    def _settle_deadline(self) -> float:
        """Return when all orders must be final: in 15 min, or at the last due time."""
        now, wall = self.context.scheduler.now, self.context.stores.clock.now()
        due_in = [
            (row.due_at - wall).total_seconds()
            for row in self.context.stores.rows()
            if row.due_at is not None and not row.state.is_final
        ]
        return now + max([SETTLE_SECONDS, *due_in]) + MARGIN_SECONDS

    def _last_due_time(self) -> float:
        """Return until when rows are due for an orphan check, or may become ready."""
        now, wall = self.context.scheduler.now, self.context.stores.clock.now()
        ends = []
        for row in self.context.stores.rows():
            has_schedule = not row.unsent or self.context.has_webhook
            if row.state.is_final and row.due_at is not None and has_schedule:
                ends.append(row.due_at)
            elif self.plan.never_ready:
                ends.append(row.deadline_at)
        last = max(((end - wall).total_seconds() for end in ends), default=-now)
        return now + last

    def _check_finished(self) -> None:
        """End the run once nothing is left to do, or its deadline is over."""
        scheduler, queue = self.context.scheduler, self.context.queue
        rows = self.context.stores.rows()
        self._ends_at = max(self._ends_at, self._last_due_time() + MARGIN_SECONDS)
        ignored = (
            set() if self.plan.waits_for_dead_letters else self.plan.unprocessable_ids
        )
        is_empty = all(each.id in ignored for each in queue.messages.values())
        is_quiet = (
            not self.clients.pending
            and is_empty
            and all(row.state.is_final and row.due_at is None for row in rows)
        )
        is_served = self.plan.accepted <= {row.order_no for row in rows}
        self.clients.redrive()
        if (is_quiet and is_served) or scheduler.now >= self._ends_at:
            self._is_over = True
            return
        scheduler.after(CHECK_INTERVAL_SECONDS, self._check_finished)


def sqs_record(message: Message) -> dict[str, object]:
    return {"messageId": message.id, "body": message.body}


def ckafka_record(message: Message) -> dict[str, object]:
    offset = int(message.id.removeprefix("m"))
    source = {"topic": "orders", "partition": 0, "offset": offset}
    return {"Ckafka": {**source, "msgKey": "", "msgBody": message.body}}

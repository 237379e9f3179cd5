"""The function runtime of a cloud: it starts, reuses and ends machines."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from kycourier.core.errors import HandlerFailedError, SettingError
from kycourier.settings.reader import read_settings
from kycourier.triggers.invocation import Invocation
from simulation.engine.context import RunContext
from simulation.environment.functions import Function, Handler, wire_function
from simulation.environment.machine import Machine
from simulation.environment.transport import SimulatedTransport

Done = Callable[[object | None], None]
NEEDS = {"app_id", "app_secret", "state", "evidence", "events", "fingerprint_key"}
MIN_LEFT_SECONDS = 0.5
GRACE_SECONDS = 2


class Process(NamedTuple):
    """A started function on its machine."""

    machine: Machine
    invocation: Invocation
    handler: Handler


@dataclass
class Execution:
    """One invocation that runs on a machine."""

    machine: Machine
    limit: float
    done: Done
    is_over: bool = False


class FunctionRuntime:
    """Runs each invocation on an idle machine, or on a new one."""

    def __init__(
        self, context: RunContext, *, rng: Random, has_reminders: bool
    ) -> None:
        self._context, self._rng = context, rng
        self._has_reminders = has_reminders
        self._idle: dict[str, list[Process]] = defaultdict(list)
        self.machines: list[Machine] = []
        self.transports: list[SimulatedTransport] = []

    def invoke(
        self,
        function: Function,
        event: object,
        done: Done,
        *,
        limit_seconds: float | None = None,
    ) -> None:
        """Invoke a function; `done` gets its response, or None if it failed."""
        limit = limit_seconds or function.limit_seconds
        idle = self._idle[function.name]
        warm = idle.pop() if idle else None
        machine = warm.machine if warm else self._new_machine(function)
        execution = Execution(machine, limit, done)

        def work() -> None:
            if warm is None:
                machine.sleep(self._rng.uniform(0.1, 0.6))
            machine.wake()
            process = warm or self._start(function, machine)
            response = None
            if process is not None:
                response = self._serve(process, event, limit)
            execution.is_over = True
            if process is not None:
                machine.idle_since = self._context.scheduler.now
                idle.append(process)
            done(response)

        self._context.scheduler.start(work, machine)
        self._context.scheduler.after(
            limit + GRACE_SECONDS, lambda: self._end_if_late(execution)
        )

    def _end_if_late(self, execution: Execution) -> None:
        """End a machine that exceeds its limit; freezing extends the limit."""
        machine, scheduler = execution.machine, self._context.scheduler
        if execution.is_over:
            return
        if machine.is_frozen and not machine.is_dead:
            scheduler.at(
                machine.thaws_at + execution.limit,
                lambda: self._end_if_late(execution),
            )
            return
        if not machine.is_dead and machine.last_frozen_at < 0:
            self._context.findings.report("I9", f"{machine.name} exceeded its limit")
        machine.die()
        execution.done(None)

    def stop(self) -> None:
        """End all machines and their tasks."""
        for machine in self.machines:
            machine.die()

    def _new_machine(self, function: Function) -> Machine:
        name = f"{function.name}{len(self.machines)}"
        machine = Machine(name, self._context.scheduler)
        self.machines.append(machine)
        for prepare in self._context.on_new_machine:
            prepare(machine)
        return machine

    def _start(self, function: Function, machine: Machine) -> Process | None:
        """Start a process; as in every function file, the settings come first."""
        try:
            read_settings(self._context.environ, needs=NEEDS)
        except SettingError as error:
            self._context.start_problems.append(str(error))
            return None
        invocation = Invocation(
            function.name, clock=machine, event_log=self._context.event_log
        )
        handler, transport = wire_function(
            function,
            machine,
            context=self._context,
            rng=self._rng,
            has_reminders=self._has_reminders,
        )
        self.transports.append(transport)
        return Process(machine, invocation, handler)

    def _serve(self, process: Process, event: object, limit: float) -> object | None:
        scheduler, machine = self._context.scheduler, process.machine
        began = scheduler.now
        machine.invocation_ends_at = began + limit
        lambda_context = LambdaContext(lambda: began + limit - scheduler.now)
        try:
            response = process.invocation.run(
                lambda deadline: process.handler(event, deadline), lambda_context
            )
        except HandlerFailedError as failed:
            self._context.responses.append(str(failed))
            response = None
        left = began + limit - scheduler.now
        if left < MIN_LEFT_SECONDS and machine.last_frozen_at < began:
            self._context.findings.report("I9", f"{machine.name} left {left:.2f} s")
        return response


@dataclass(frozen=True)
class LambdaContext:
    """The part of Lambda's context object that the service reads."""

    seconds_left: Callable[[], float]

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left() * 1000)

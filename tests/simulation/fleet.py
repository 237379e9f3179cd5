"""The functions of a cloud: machines that start, serve, idle and are put down."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import SimpleNamespace

from fakes import FakeNonces
from kycourier.adapters.triggers import invocation
from kycourier.adapters.triggers.invocation import Invocation
from kycourier.adapters.triggers.orders_api import OrdersApi
from kycourier.adapters.triggers.timer import RefreshTimer, SweepTimer
from kycourier.core.errors import (
    EvidenceUnavailable,
    HandlerFailed,
    SettingError,
    SinkUnavailable,
    StoreUnavailable,
)
from kycourier.ports import State
from kycourier.settings import read_settings
from kycourier.usecases import heed_brake, use_ticket
from kycourier.usecases.time_left import TimeLeft
from simulation.clockwork import Lanes, Machine, TurnLock
from simulation.gate import Gated
from simulation.transport import SimulatedTransport
from simulation.world import RunWorld
from worlds import APP, URI, Worker

Handler = Callable[[object, TimeLeft], object]
Done = Callable[[object | None], None]
NEEDS = {"app_id", "app_secret", "state", "evidence", "events", "fingerprint_key"}
LEAST_LEFT_SECONDS = 0.5


@dataclass(frozen=True)
class Function:
    """One function as the templates deploy it."""

    name: str
    limit_seconds: float
    most_in_flight: int = 10


REFRESH = Function("refresh", 30)
COLLECT = Function("collect", 60)
API = Function("api", 29)
SWEEP = Function("sweep", 55)


@contextmanager
def turns_for_threads() -> Iterator[None]:
    """Let locks be those of tasks that take turns, and no invocation start a thread."""
    real, in_time = use_ticket.threading, invocation._in_time
    for using in (use_ticket, heed_brake):
        using.threading = SimpleNamespace(Lock=TurnLock)
    invocation._in_time = lambda work, left: work(left)
    try:
        yield
    finally:
        for using in (use_ticket, heed_brake):
            using.threading = real
        invocation._in_time = in_time


class Outside:
    """The ports as one machine has them."""

    def __init__(self, world: RunWorld, machine: Machine, *, dice: Random) -> None:
        def gated(inner: object, port: str, failure: type = StoreUnavailable) -> Gated:
            return Gated(inner, port, machine=machine, gate=world.gate, failure=failure)

        stores = world.stores
        self.clock, self.journal = machine, world.journal
        self.nonces = FakeNonces(dice.getrandbits(32))
        self.state = State(
            tickets=gated(stores.tickets, "tickets"),
            leases=gated(stores.leases, "leases"),
            orders=gated(stores.orders, "orders"),
            brakes=gated(stores.brakes, "brakes"),
        )
        self.evidence = gated(stores.evidence, "evidence", EvidenceUnavailable)
        self.sink = gated(stores.sink, "sink", SinkUnavailable)
        self.queue = gated(world.queue, "queue")
        self.secret = gated(world.secret, "secret")


class Fleet:
    """Runs invocations on machines, as many as there are calls at once."""

    def __init__(self, world: RunWorld, *, dice: Random, has_reminders: bool) -> None:
        self._world, self._dice = world, dice
        self._has_reminders = has_reminders
        self._idle: dict[str, list[tuple[Machine, Invocation, Handler]]] = defaultdict(
            list
        )
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
        """Hand an event to a machine; `done` is told the answer, None if it failed."""
        limit = limit_seconds or function.limit_seconds
        idle = self._idle[function.name]
        warm = idle.pop() if idle else None
        machine = warm[0] if warm else self._new_machine(function)
        is_over = False

        def work() -> None:
            nonlocal is_over
            if warm is None:
                machine.sleep(self._dice.uniform(0.1, 0.6))
            machine.wake()
            ready = warm or self._start(function, machine)
            answer = None
            if ready is not None:
                answer = self._serve(machine, ready, event, limit)
            is_over = True
            if ready is not None:
                machine.idle_from = self._world.clockwork.now
                idle.append(ready)
            done(answer)

        def look() -> None:
            """Put down what overran, as a platform does; who froze gets its time."""
            if is_over:
                return
            if machine.is_gone:
                done(None)
            elif machine.is_frozen:
                self._world.clockwork.at(machine.thaws_at + limit, look)
            else:
                if machine.froze_last_at < 0:
                    self._world.verdict.violate(
                        "I9", f"{machine.name} overran its limit"
                    )
                machine.die()
                done(None)

        self._world.clockwork.start(work, machine)
        self._world.clockwork.after(limit + 2, look)

    def stop(self) -> None:
        """End all machines, so that nothing of them goes on."""
        for machine in self.machines:
            machine.die()

    def _new_machine(self, function: Function) -> Machine:
        name = f"{function.name}{len(self.machines)}"
        machine = Machine(name, self._world.clockwork)
        self.machines.append(machine)
        for prepare in self._world.on_new_machine:
            prepare(machine)
        return machine

    def _start(
        self, function: Function, machine: Machine
    ) -> tuple[Machine, Invocation, Handler] | None:
        """Begin a process: settings first, as every function file does."""
        try:
            read_settings(self._world.environ, needs=NEEDS)
        except SettingError as error:
            self._world.start_problems.append(str(error))
            return None
        journal = self._world.journal
        invocation = Invocation(function.name, clock=machine, journal=journal)
        return machine, invocation, self._wire(function, machine)

    def _serve(
        self,
        machine: Machine,
        ready: tuple[Machine, Invocation, Handler],
        event: object,
        limit: float,
    ) -> object | None:
        clockwork = self._world.clockwork
        _, invocation, handler = ready
        began = clockwork.now
        machine.ends_at = began + limit
        context = Context(lambda: began + limit - clockwork.now)
        try:
            answer = invocation.run(lambda left: handler(event, left), context)
        except HandlerFailed as failed:
            self._world.sinks.append(str(failed))
            answer = None
        left = began + limit - clockwork.now
        if left < LEAST_LEFT_SECONDS and machine.froze_last_at < began:
            self._world.verdict.violate("I9", f"{machine.name} left {left:.2f} s")
        return answer

    def _wire(self, function: Function, machine: Machine) -> Handler:
        """Wire the function as `bootstrap` does, over this machine's ports."""
        world = self._world
        outside = Outside(world, machine, dice=self._dice)
        if not self._has_reminders:
            outside.queue = None
        transport = SimulatedTransport(
            world.platform, machine=machine, gate=world.gate, dice=self._dice,
            slowest=world.slowest_call,
        )  # fmt: skip
        self.transports.append(transport)
        lanes = Lanes(machine, world.clockwork, most=function.most_in_flight)
        worker = Worker(
            outside,
            transport=transport,
            secret=outside.secret,
            pool=lanes,
            run_all=lanes.run_all,
            ttl=timedelta(seconds=world.ttl_seconds),
        )
        shared = {"state": outside.state, "ambient": worker.ambient}
        if function is REFRESH:
            refresh = RefreshTimer(APP, refresher=worker.refresher, **shared)
            return lambda _, left: refresh.answer(left)
        if function is SWEEP:
            sweep = SweepTimer(worker.sweeper)
            return lambda _, left: sweep.answer(left)
        if function is COLLECT:
            return worker.orders_queue().answer
        return OrdersApi(
            APP,
            api_keys=None,
            evidence_uri=URI,
            register=worker.register,
            collector=worker.collector,
            brake=worker.brake,
            evidence=outside.evidence,
            queue=outside.queue,
            **shared,
        ).answer


@dataclass(frozen=True)
class Context:
    """Lambda's context, as far as it is asked."""

    seconds_left: Callable[[], float]

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left() * 1000)

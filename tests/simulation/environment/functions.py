"""The deployed functions, wired over the intercepted ports of one machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from types import SimpleNamespace

from kycourier.core.errors import (
    EvidenceUnavailableError,
    SinkUnavailableError,
    StoreUnavailableError,
)
from kycourier.ports import Stores
from kycourier.triggers import invocation
from kycourier.triggers.timer import SweepTimer
from kycourier.usecases import circuit_breaker, provide_ticket
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.sweep_orders import SweepPools
from simulation.engine.context import RunContext
from simulation.engine.scheduler import CooperativeLock
from simulation.environment.interceptor import InterceptedPort
from simulation.environment.machine import Machine
from simulation.environment.pool import SimulatedPool
from simulation.environment.transport import SimulatedTransport
from support.fakes import FakeRandom
from support.rigs.in_memory import InMemoryWorker
from support.rigs.recipient import make_sealer

Handler = Callable[[object, Deadline], object]


@dataclass(frozen=True)
class Function:
    """One function as the templates deploy it."""

    name: str
    limit_seconds: float
    max_in_flight: int = 10


REFRESH = Function("refresh", 30)
COLLECT = Function("collect", 60)
API = Function("api", 29)
SWEEP = Function("sweep", 55)


@contextmanager
def cooperative_threading() -> Iterator[None]:
    """Replace the service's locks and its thread per invocation by cooperative ones."""
    real, run_in_time = provide_ticket.threading, invocation._run_in_time
    for module in (provide_ticket, circuit_breaker):
        module.threading = SimpleNamespace(Lock=CooperativeLock)
    invocation._run_in_time = lambda work, deadline: work(deadline)
    try:
        yield
    finally:
        for module in (provide_ticket, circuit_breaker):
            module.threading = real
        invocation._run_in_time = run_in_time


class MachinePorts:
    """The ports as one machine calls them."""

    def __init__(self, context: RunContext, machine: Machine, *, rng: Random) -> None:
        def intercepted(
            inner: object, port: str, failure: type = StoreUnavailableError
        ) -> InterceptedPort:
            return InterceptedPort(
                inner,
                port,
                machine=machine,
                interceptor=context.interceptor,
                failure=failure,
            )

        stores = context.stores
        self.clock, self.event_log = machine, context.event_log
        self.random = FakeRandom(rng.getrandbits(32))
        self.stores = Stores(
            tickets=intercepted(stores.tickets, "tickets"),
            leases=intercepted(stores.leases, "leases"),
            orders=intercepted(stores.orders, "orders"),
            breakers=intercepted(stores.breakers, "breakers"),
        )
        self.evidence = intercepted(
            stores.evidence, "evidence", EvidenceUnavailableError
        )
        self.sink = intercepted(stores.sink, "sink", SinkUnavailableError)
        self.queue = intercepted(context.queue, "queue")
        self.secret = intercepted(context.secret, "secret")
        self.sealer = make_sealer() if context.is_sealing else None
        self.has_webhook = context.has_webhook


def wire_function(
    function: Function,
    machine: Machine,
    *,
    context: RunContext,
    rng: Random,
    has_reminders: bool,
) -> tuple[Handler, SimulatedTransport]:
    """Wire a function as `bootstrap` does; returns its handler and its transport."""
    ports = MachinePorts(context, machine, rng=rng)
    if not has_reminders:
        ports.queue = None
    transport = SimulatedTransport(
        context.platform,
        machine=machine,
        interceptor=context.interceptor,
        rng=rng,
        max_seconds=context.max_call_seconds,
    )
    pool = SimulatedPool(
        machine, context.scheduler, max_in_flight=function.max_in_flight
    )
    deliveries = SimulatedPool(machine, context.scheduler, max_in_flight=10)
    worker = InMemoryWorker(
        ports,
        transport=transport,
        secret=ports.secret,
        pools=SweepPools(orders=pool, deliveries=deliveries, parts=deliveries),
        run_all=pool.run_all,
        ttl=timedelta(seconds=context.ttl_seconds),
    )
    return _handler(function, worker), transport


def _handler(function: Function, worker: InMemoryWorker) -> Handler:
    if function is REFRESH:
        refresh = worker.refresh_timer()
        return lambda _, deadline: refresh.handle(deadline)
    if function is SWEEP:
        sweep = SweepTimer(worker.sweeper)
        return lambda _, deadline: sweep.handle(deadline)
    if function is COLLECT:
        return worker.orders_queue().handle
    return worker.orders_api().handle

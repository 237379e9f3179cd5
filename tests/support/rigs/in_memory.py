"""One app's state in memory, and workers whose use cases are wired over it."""

import json
from datetime import datetime, timedelta
from typing import Protocol

from kycourier.core.documents.recognition import NO_OPTIONS, Document, Options
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.record import OrderKey, OrderRecord
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import Secret
from kycourier.core.wire.requests import Profile
from kycourier.ports import (
    Clock,
    EventLog,
    EventSink,
    EvidenceStore,
    KycTransport,
    Random,
    RuntimeDeps,
    Sealer,
    SecretSource,
    Stores,
    WorkQueue,
)
from kycourier.triggers.http.orders_api import OrdersApi
from kycourier.triggers.queue import QueueTrigger
from kycourier.triggers.timer import RefreshTimer
from kycourier.usecases.attempt_end import AttemptEnd
from kycourier.usecases.circuit_breaker import CircuitBreaker
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.concurrency import BoundedPool, FanOut
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.provide_ticket import OwnedTickets, TicketProvider
from kycourier.usecases.publish_events import EventPublisher, WebhookPublisher
from kycourier.usecases.query_result import ResultQuery
from kycourier.usecases.refresh_ticket import TicketRefresher
from kycourier.usecases.register_order import RegisterOrder
from kycourier.usecases.resend_event import EventResender
from kycourier.usecases.store_evidence import EvidenceWriter, RunAll
from kycourier.usecases.sweep_orders import SweepOrders, SweepPools
from support.fakes import (
    FakeClock,
    FakeRandom,
    MemoryBreakerStore,
    MemoryEventLog,
    MemoryEventSink,
    MemoryEvidenceStore,
    MemoryLeaseStore,
    MemoryOrderStore,
    MemoryTicketStore,
    MemoryWorkQueue,
    ScriptedTransport,
)
from support.leaks.canaries import APP_SECRET, FINGERPRINT_KEY
from support.rigs.fake_platform import FakePlatform

APP = "SANDBOX1"
EVIDENCE_URI = "file:///evidence"
SEQUENTIAL = SweepPools(
    orders=BoundedPool(size=1),
    deliveries=BoundedPool(size=1),
    parts=BoundedPool(size=1),
)


class InMemoryApp:
    """One app's stores, clock and platform, shared by the workers it makes."""

    def __init__(self, seed: int = 0) -> None:
        self.clock, self.random = FakeClock(), FakeRandom(seed)
        self.event_log = MemoryEventLog()
        leases = MemoryLeaseStore(self.clock)
        self.stores = Stores(
            tickets=MemoryTicketStore(leases),
            leases=leases,
            orders=MemoryOrderStore(self.clock),
            breakers=MemoryBreakerStore(),
        )
        self.evidence = MemoryEvidenceStore(self.clock)
        self.sink = MemoryEventSink()
        self.queue = MemoryWorkQueue(self.clock)
        self.sealer: Sealer | None = None
        self.has_webhook = False
        self.upstream = FakePlatform()

    def worker(self, *, clock: Clock | None = None) -> "InMemoryWorker":
        return InMemoryWorker(self, clock=clock)

    def worker_with(self, options: Options) -> "InMemoryWorker":
        """Return a worker with these settings of documents."""
        return InMemoryWorker(self, options=options)

    def time(self, seconds: float = 60) -> Deadline:
        return Deadline(self.clock.monotonic, seconds=seconds)

    def load(self, order_no: str) -> OrderRecord | None:
        return self.stores.orders.get(OrderKey(APP, order_no))

    def bodies(self) -> list[dict[str, object]]:
        """Return the published events as JSON objects."""
        return [json.loads(event.body) for event in self.sink.events]

    def log_events(self) -> list[str]:
        return self.event_log.names()


class WorkerPorts(Protocol):
    """The ports that a worker needs."""

    clock: Clock
    random: Random
    event_log: EventLog
    stores: Stores
    evidence: EvidenceStore
    sink: EventSink
    queue: WorkQueue
    sealer: Sealer | None
    has_webhook: bool


class InMemoryWorker:
    """The use cases wired over an app's ports, as in a cloud function."""

    def __init__(  # noqa: PLR0913 - what tests vary
        self,
        app: WorkerPorts,
        *,
        transport: KycTransport | None = None,
        secret: SecretSource | None = None,
        pools: SweepPools = SEQUENTIAL,
        run_all: RunAll | None = None,
        clock: Clock | None = None,
        patience_seconds: float = 300,
        ttl: timedelta = timedelta(days=2),
        options: Options = NO_OPTIONS,
    ) -> None:
        self.app = app
        self.deps = RuntimeDeps(
            clock=clock or app.clock, random=app.random, event_log=app.event_log
        )
        shared = {"stores": app.stores, "deps": self.deps}
        if transport is None:
            transport = ScriptedTransport(lambda req: app.upstream.respond(req))  # noqa: PLW0108 - tests replace `respond`
        self.breaker = CircuitBreaker(APP, **shared)
        self.refresher = TicketRefresher(
            APP,
            profile=Profile.MINIPROGRAM,
            secret=secret or MutableSecret(APP_SECRET),
            transport=transport,
            breaker=self.breaker,
            call_seconds=8,
            **shared,
        )
        self.tickets = self.make_tickets()
        self.register = RegisterOrder(
            ttl=ttl, first_sweep=timedelta(minutes=10), **shared
        )
        self.evidence_writer = EvidenceWriter(
            app.evidence,
            uri=EVIDENCE_URI,
            fingerprint_key=FingerprintKey("v1", Secret(FINGERPRINT_KEY)),
            sealer=app.sealer,
            run_all=run_all or FanOut(size=3).run,
        )
        self.publisher = (
            WebhookPublisher(app.sink, queue=app.queue, **shared)
            if app.has_webhook
            else EventPublisher(app.sink, **shared)
        )
        self.resender = EventResender(app.sink, **shared)
        self.pool = pools.orders
        self.collector = CollectResult(
            self.register,
            query=ResultQuery(
                transport=transport,
                tickets=self.tickets,
                breaker=self.breaker,
                call_seconds=8,
                photo_patience=timedelta(seconds=patience_seconds),
                options=options,
                **shared,
            ),
            breaker=self.breaker,
            evidence=self.evidence_writer,
            publisher=self.publisher,
            attempt_end=AttemptEnd(queue=app.queue, **shared),
            **shared,
        )
        self.sweeper = SweepOrders(
            APP,
            collector=self.collector,
            breaker=self.breaker,
            evidence=self.evidence_writer,
            publisher=self.publisher,
            pools=pools,
            **shared,
        )

    def make_tickets(self) -> TicketProvider:
        """Return where queries get their tickets; a test may override it."""
        stores, deps = self.app.stores, self.deps
        return OwnedTickets(APP, refresher=self.refresher, stores=stores, deps=deps)

    def orders_api(self, **changes: object) -> OrdersApi:
        """Return the API of this worker; `changes` replace its arguments."""
        arguments = {
            "api_keys": None,
            "evidence_uri": EVIDENCE_URI,
            "register": self.register,
            "collector": self.collector,
            "evidence": self.app.evidence,
            "queue": self.app.queue,
            "resender": self.resender,
            "stores": self.app.stores,
            "deps": self.deps,
        }
        return OrdersApi(APP, **(arguments | changes))

    def refresh_timer(self) -> RefreshTimer:
        """Return the timer trigger that refreshes this worker's tickets."""
        stores, deps = self.app.stores, self.deps
        return RefreshTimer(APP, refresher=self.refresher, stores=stores, deps=deps)

    def orders_queue(self) -> QueueTrigger:
        """Return the queue trigger of this worker."""
        return QueueTrigger(
            APP,
            register=self.register,
            collector=self.collector,
            pool=self.pool,
            stores=self.app.stores,
            deps=self.deps,
        )

    def collect(
        self,
        order_no: str,
        urgency: Urgency = Urgency.NOTIFIED,
        seconds: float = 60,
        document: Document | None = None,
    ) -> OrderRecord:
        return self.collector.collect(
            expected_order(order_no, document),
            urgency=urgency,
            deadline=self.app.time(seconds),
        )


def expected_order(order_no: str, document: Document | None = None) -> OrderRequest:
    return OrderRequest(order=OrderKey(APP, order_no), document=document)


class SkewedClock:
    """A worker's clock whose wall time is off by a constant."""

    def __init__(self, right: Clock, *, off: timedelta) -> None:
        self.monotonic, self.sleep = right.monotonic, right.sleep
        self._right, self._off = right, off

    def now(self) -> datetime:
        return self._right.now() + self._off


class MutableSecret:
    """A secret that a test may change."""

    def __init__(self, value: str) -> None:
        self.value = value

    def get(self) -> Secret:
        return Secret(self.value)

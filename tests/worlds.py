"""A whole worker in memory, and an upstream that answers it by script."""

import base64
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import canaries
from canaries import APP_SECRET, FINGERPRINT_KEY, NUMBER, TICKET, TOKEN
from fakes import (
    FakeClock,
    FakeNonces,
    MemoryBrakeStore,
    MemoryEventSink,
    MemoryEvidenceStore,
    MemoryJournal,
    MemoryLeaseStore,
    MemoryOrderStore,
    MemoryTicketStore,
    MemoryWorkQueue,
    ScriptedTransport,
)
from kycourier.adapters.triggers.queue import OrdersQueue
from kycourier.core.card import FingerprintKey
from kycourier.core.errors import KycourierError
from kycourier.core.hidden import ReplyBody, Secret
from kycourier.core.models import KycReply, KycRequest, OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord
from kycourier.core.signing import sign
from kycourier.core.wire import Profile
from kycourier.ports import (
    Ambient,
    Clock,
    EventSink,
    EvidenceStore,
    Journal,
    KycTransport,
    NonceSource,
    SecretSource,
    State,
    WorkQueue,
)
from kycourier.usecases.ask_platform import AskPlatform
from kycourier.usecases.collect_result import CollectResult
from kycourier.usecases.heed_brake import BrakeGuard
from kycourier.usecases.keep_evidence import EvidenceKeeper, RunAll
from kycourier.usecases.refresh_ticket import TicketRefresher
from kycourier.usecases.register_order import Expected, RegisterOrder
from kycourier.usecases.send_events import EventSender
from kycourier.usecases.side_by_side import AllAtOnce, SideBySide
from kycourier.usecases.sweep_orders import SweepOrders
from kycourier.usecases.time_left import TimeLeft
from kycourier.usecases.use_ticket import OwnedTickets

APP = "SANDBOX1"
URI = "file:///evidence"
PHOTO = base64.b64encode(canaries.PHOTO).decode()
PHOTOS = {
    "originBankcardPhoto": PHOTO,
    "bankcardCropPhoto": PHOTO,
    "bankcardNoPhoto": PHOTO,
}
Answer = Mapping[str, object] | KycReply | KycourierError


def http(value: object, status: int = 200, retry_after: str | None = None) -> KycReply:
    """Make a reply of a JSON value, or of bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return KycReply(status=status, body=ReplyBody(body), retry_after=retry_after)


def refusal(code: str) -> KycReply:
    return http({"code": code, "msg": "synthetic"})


def result(order_no: str, **changes: object) -> KycReply:
    """Make a good result with all photos; `changes` to its fields."""
    fields = {
        "orderNo": order_no,
        "bankCardNo": NUMBER,
        "bankCardValidDate": "12/2030",
        "operateTime": "2026-01-01 08:00:00",
        "clarity": "79",
        "warnCode": "0",
        "multiWarnCode": "0",
        **PHOTOS,
        **changes,
    }
    return http({"code": "0", "result": fields, "success": False})


class Upstream:
    """The platform: one live pair, signatures checked, each order's replies by script.

    An order's script is used up one reply a query; the last one stays.
    """

    def __init__(self) -> None:
        self.generation = 0
        self.scripts: dict[str, list[Answer]] = {}
        self.token_answer: Answer | None = None
        self.ticket_answer: Answer | None = None
        self.on_query: Callable[[str], None] = lambda _: None
        self.asked: dict[str, int] = defaultdict(int)
        self.tokens = self.tickets = 0

    def kill_pair(self) -> None:
        self.generation += 1

    def answer(self, request: KycRequest) -> Answer:
        query = dict(request.query.reveal())
        if request.path.endswith("access_token"):
            self.tokens += 1
            if self.token_answer is not None:
                return self.token_answer
            self.generation += 1
            token = f"{TOKEN}{self.generation}"
            return http({"code": "0", "access_token": token, "expire_in": "7200"})
        if request.path.endswith("api_ticket"):
            self.tickets += 1
            if self.ticket_answer is not None:
                return self.ticket_answer
            entry = {"value": f"{TICKET}{self.generation}", "expire_in": 3600}
            return http({"code": "0", "tickets": [entry]})
        order_no = query["order_no"]
        self.asked[order_no] += 1
        self.on_query(order_no)
        signed = [query[name] for name in ("app_id", "order_no", "version", "nonce")]
        if query["sign"] != sign([*signed, f"{TICKET}{self.generation}"]).reveal():
            return refusal("400101")
        script = self.scripts.get(order_no) or [result(order_no)]
        return script.pop(0) if len(script) > 1 else script[0]


class World:
    """One app's state, and a worker over it; `worker()` makes another one."""

    def __init__(self, seed: int = 0) -> None:
        self.clock, self.nonces = FakeClock(), FakeNonces(seed)
        self.journal = MemoryJournal()
        leases = MemoryLeaseStore(self.clock)
        self.state = State(
            tickets=MemoryTicketStore(leases),
            leases=leases,
            orders=MemoryOrderStore(self.clock),
            brakes=MemoryBrakeStore(),
        )
        self.evidence = MemoryEvidenceStore(self.clock)
        self.sink = MemoryEventSink()
        self.queue = MemoryWorkQueue(self.clock)
        self.upstream = Upstream()

    def worker(self, *, clock: Clock | None = None) -> "Worker":
        return Worker(self, clock=clock)

    def time(self, seconds: float = 60) -> TimeLeft:
        return TimeLeft(self.clock.monotonic, seconds=seconds)

    def load(self, order_no: str) -> OrderRecord | None:
        return self.state.orders.load(OrderKey(APP, order_no))

    def bodies(self) -> list[dict[str, object]]:
        """Give the events that the sink took, parsed."""
        return [json.loads(event.body) for event in self.sink.events]

    def facts(self) -> list[str]:
        return self.journal.facts()


class Outside(Protocol):
    """What a worker is wired over."""

    clock: Clock
    nonces: NonceSource
    journal: Journal
    state: State
    evidence: EvidenceStore
    sink: EventSink
    queue: WorkQueue


class Worker:
    """The stories wired over a world, as a function of the cloud would be."""

    def __init__(
        self,
        world: Outside,
        *,
        transport: KycTransport | None = None,
        secret: SecretSource | None = None,
        pool: SideBySide | None = None,
        run_all: RunAll | None = None,
        clock: Clock | None = None,
        patience_seconds: float = 300,
        ttl: timedelta = timedelta(days=2),
    ) -> None:
        self.world = world
        self.ambient = Ambient(
            clock=clock or world.clock, nonces=world.nonces, journal=world.journal
        )
        shared = {"state": world.state, "ambient": self.ambient}
        if transport is None:
            transport = ScriptedTransport(lambda req: world.upstream.answer(req))  # noqa: PLW0108 - tests replace `answer`
        self.brake = BrakeGuard(APP, **shared)
        self.refresher = TicketRefresher(
            APP,
            profile=Profile.MINIPROGRAM,
            secret=secret or SecretInMemory(APP_SECRET),
            transport=transport,
            brake=self.brake,
            call_seconds=8,
            **shared,
        )
        self.tickets = OwnedTickets(APP, refresher=self.refresher, **shared)
        self.register = RegisterOrder(
            ttl=ttl, first_sweep=timedelta(minutes=10), **shared
        )
        self.keeper = EvidenceKeeper(
            world.evidence,
            uri=URI,
            fingerprint_key=FingerprintKey("v1", Secret(FINGERPRINT_KEY)),
            run_all=run_all or AllAtOnce(most=3).run,
        )
        self.sender = EventSender(world.sink, **shared)
        self.pool = pool or SideBySide(most=1)
        self.collector = CollectResult(
            self.register,
            platform=AskPlatform(
                transport=transport,
                tickets=self.tickets,
                brake=self.brake,
                call_seconds=8,
                photo_patience=timedelta(seconds=patience_seconds),
                **shared,
            ),
            brake=self.brake,
            evidence=self.keeper,
            sender=self.sender,
            queue=world.queue,
            **shared,
        )
        self.sweeper = SweepOrders(
            APP,
            collector=self.collector,
            brake=self.brake,
            evidence=self.keeper,
            sender=self.sender,
            pool=self.pool,
            **shared,
        )

    def orders_queue(self) -> OrdersQueue:
        """Give the queue's trigger over this worker."""
        return OrdersQueue(
            APP,
            register=self.register,
            collector=self.collector,
            pool=self.pool,
            state=self.world.state,
            ambient=self.ambient,
        )

    def collect(
        self, order_no: str, urgency: Urgency = Urgency.NOTIFIED, seconds: float = 60
    ) -> OrderRecord:
        return self.collector.collect(
            expected(order_no), urgency=urgency, time_left=self.world.time(seconds)
        )


def expected(order_no: str) -> Expected:
    return Expected(order=OrderKey(APP, order_no))


class WrongClock:
    """A worker's wall clock that is off; the stores go by the right one."""

    def __init__(self, right: Clock, *, off: timedelta) -> None:
        self.monotonic, self.sleep = right.monotonic, right.sleep
        self._right, self._off = right, off

    def now(self) -> datetime:
        return self._right.now() + self._off


class SecretInMemory:
    """A secret that a test may change."""

    def __init__(self, value: str) -> None:
        self.value = value

    def load(self) -> Secret:
        return Secret(self.value)

"""Whole workers over one folder, whose transport and files are the real ones."""

import io
import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest

from houses import TIMER, House, batch
from kycourier import bootstrap
from kycourier.adapters.kyc_http import KycHttp
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.system import SystemClock
from kycourier.assembly import Function
from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.models import KycReply, KycRequest, OrderKey
from kycourier.core.order import CLOCK_GRACE
from kycourier.core.order_record import OrderRecord
from kycourier_devkit.sandbox import APP_ID
from transport_faults.upstream import KINDS, Upstream

LIMIT_SECONDS = 10.0
LEFT_SECONDS = 0.5  # I9
ROUNDS = 25


class JumpingClock(SystemClock):
    """The machine's time, and what a test has put on top of it."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._stopped_at: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        wall = self._stopped_at[0] if self._stopped_at else super().now()
        return wall + timedelta(seconds=self._ahead)

    def monotonic(self) -> float:
        ticks = self._stopped_at[1] if self._stopped_at else super().monotonic()
        return ticks + self._ahead

    def jump(self, seconds: float) -> None:
        """Let time have passed."""
        self._ahead += max(0.0, seconds)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let time pass by jumps alone, however busy the machine is."""
        self._stopped_at = (super().now(), super().monotonic())
        yield
        self._stopped_at = None


class Call(NamedTuple):
    """One call as the transport's user sees it; `came_to` is a status or a reason."""

    kind: str
    begun: float
    allowed: float
    took: float
    came_to: int | str


class Watched:
    """The real transport, and a note of what each call came to.

    A call of a kind that hangs has less time than the setting gives the others.
    """

    def __init__(self, http: KycHttp, fleet: "Fleet") -> None:
        self._http, self._fleet = http, fleet

    def open_ahead(self) -> None:
        """Open nothing: which call meets a fault is to be certain."""

    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycReply:
        kind = KINDS[request.path]
        allowed = min(timeout_seconds, self._fleet.hanging.get(kind, timeout_seconds))
        begun, came_to = time.monotonic(), ""
        try:
            got = self._http.send(request, timeout_seconds=allowed)
            came_to = got.status
        except UpstreamUnreachable as error:
            came_to = error.reason
            self._fleet.errors.append(f"{error} {error!r} {vars(error)}")
            raise
        finally:
            took = time.monotonic() - begun
            call = Call(kind, begun, allowed, took, came_to)
            self._fleet.calls.append(call)
        return got


class Worker(NamedTuple):
    """A started function, as the platform calls it."""

    function: Function

    def invoke(
        self,
        event: object,
        *,
        seconds: float = LIMIT_SECONDS,
        spare: float = LEFT_SECONDS,
    ):
        """Call it with `seconds` to live; it must leave `spare` of them."""
        begun = time.monotonic()
        answer = self.function.invoke(event, {"time_limit_in_ms": seconds * 1000})
        assert time.monotonic() - begun <= seconds - spare
        return answer

    def deliver(self, *orders: str, **limits: float) -> list[str]:
        """Bring a batch; give the orders that came back."""
        answer = self.invoke(batch(*orders), **limits)
        failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
        return [orders[int(name.removeprefix("m"))] for name in failed]


class Fleet:
    """Workers of one app, by one clock; its state, evidence and events."""

    def __init__(
        self,
        folder: Path,
        upstream: Upstream,
        stack: ExitStack,
        *,
        clock: JumpingClock,
        patch: pytest.MonkeyPatch,
    ) -> None:
        self.house = House(folder, upstream, stack)
        self.house.environ |= {
            "KYCOURIER_QUEUE": f"sqlite:///{folder}/queue.db",
            "KYCOURIER_MAX_REPLY_BYTES": "1000000",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
        }
        self.upstream, self.clock, self._stack = upstream, clock, stack
        self.calls: list[Call] = []
        self.errors: list[str] = []
        self.hanging: dict[str, float] = {}
        self._workers: dict[str, Worker] = {}
        self.said = io.StringIO()
        self._state, self._patch = folder / "state.db", patch

    def open_transport(self, *args: object, **options: object) -> Watched:
        """Open the real transport, watched."""
        http = self._stack.enter_context(closing(KycHttp(*args, **options)))
        return Watched(http, self)

    def start(self, name: str = "collect_results") -> Worker:
        """Start a function as its file does; all that is printed is kept."""
        for name_of_stream in ("stdout", "stderr"):  # pytest's own, at each phase
            self._patch.setattr(sys, name_of_stream, self.said)
        return Worker(getattr(bootstrap, f"start_{name}")())

    def _kept(self, name: str) -> Worker:
        if name not in self._workers:
            self._workers[name] = self.start(name)
        return self._workers[name]

    def buy_pair(self) -> None:
        """Have the timer fill the ticket store."""
        assert self.start("refresh_ticket").invoke(TIMER)["generation"]

    def sweep(self) -> None:
        """Work through what is due, always with the same worker."""
        self._kept("sweep_orders").invoke(TIMER)

    def find(self, order_no: str) -> OrderRecord | None:
        """Read an order's row, if there is one."""
        orders = SqliteOrderStore(self._state, self.clock)
        return orders.load(OrderKey(APP_ID, order_no))

    def row(self, order_no: str) -> OrderRecord:
        """Read an order's row."""
        record = self.find(order_no)
        assert record is not None
        return record

    def pauses(self) -> list[float]:
        """Read from the log how long each pause of the app was to be."""
        facts = [json.loads(line) for line in self.said.getvalue().splitlines()]
        return [f["seconds"] for f in facts if f.get("message") == "brake_tripped"]

    def ask_early(self, order_no: str) -> None:
        """See that a lone order is not asked for before its due time, whoever comes."""
        with self.clock.stopped():
            if self.due_in(order_no) > CLOCK_GRACE.total_seconds():
                asked = self.upstream.calls.copy()
                self.sweep()
                self._kept("collect_results").deliver(order_no)
                assert self.upstream.calls == asked

    def due_in(self, order_no: str) -> float:
        """Tell the seconds until an order is due."""
        return (self.row(order_no).due_at - self.clock.now()).total_seconds()

    def sweep_until_final(self, order_no: str) -> OrderRecord:
        """Sweep at each due time until the order is done with."""
        for _ in range(ROUNDS):
            record = self.row(order_no)
            if record.state.is_final:
                return record
            self.clock.jump(self.due_in(order_no))
            self.sweep()
        raise AssertionError(self.row(order_no))

    def is_without_effect(self) -> bool:
        """Tell whether nothing was stored or sent."""
        return not self.house.objects() and not self.house.events()

    def check_evidence(self, event: dict) -> None:
        """Check that each object an event names is there, with its digest."""
        named = [*event["data"]["photos"], event["data"]["manifest"]]
        assert len(named) == 4
        root = self.house.folder / "evidence"
        base = len(self.house.environ["KYCOURIER_EVIDENCE"]) + 1
        for thing in named:
            content = (root / thing["uri"][base:]).read_bytes()
            assert sha256(content).hexdigest() == thing["sha256"]

    def sinks(self) -> dict[str, str]:
        """Gather all that is kept or said, the ticket record aside."""
        house = self.house
        manifests = house.folder.glob("evidence/**/*.json")
        return {
            "state": _dump(self._state),
            "queue": _dump(house.folder / "queue.db"),
            "events": repr(house.events()),
            "keys": repr(house.objects()),
            "manifests": "\n".join(path.read_text() for path in manifests),
            "errors": "\n".join(self.errors),
        }


def _dump(path: Path) -> str:
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = lambda raw: raw.decode(errors="replace")
        lines = database.iterdump()
        return "\n".join(line for line in lines if '"tickets"' not in line)

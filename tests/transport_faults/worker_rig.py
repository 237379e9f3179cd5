"""Workers over one folder, with the real transport and the real local adapters."""

import io
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

from kycourier import bootstrap
from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.system import SystemClock
from kycourier.core.errors import TransportError
from kycourier.core.orders.record import OrderKey, OrderRecord
from kycourier.core.timing import DUE_TOLERANCE
from kycourier.core.wire.messages import KycRequest, KycResponse
from kycourier.triggers.function import Function
from kycourier_devkit.sandbox import APP_ID
from support.processes.service_rig import TIMER_EVENT, ServiceRig, queue_batch
from transport_faults.platform import KINDS, FaultyPlatform

LIMIT_MS = 10_000
MIN_LEFT_MS = 500  # I9
MAX_SWEEPS = 25


class ShiftedClock(SystemClock):
    """The system's time plus the seconds by which a test advanced it."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._frozen_at: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        wall = self._frozen_at[0] if self._frozen_at else super().now()
        return wall + timedelta(seconds=self._offset)

    def monotonic(self) -> float:
        ticks = self._frozen_at[1] if self._frozen_at else super().monotonic()
        return ticks + self._offset

    def advance(self, seconds: float) -> None:
        """Advance both clocks."""
        self._offset += max(0.0, seconds)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let time pass by `advance` alone, however busy the machine is."""
        self._frozen_at = (super().now(), super().monotonic())
        yield
        self._frozen_at = None


class RecordedCall(NamedTuple):
    """One call of the transport; `outcome` is a status, or the reason of an error."""

    kind: str
    allowed: float
    took: float
    outcome: int | str


class RecordingTransport:
    """The real transport, which records the outcome of each call.

    Calls of `slow_kinds` have a shorter timeout, so that tests of hangs are fast.
    """

    def __init__(self, http: HttpKycTransport, rig: "WorkerRig") -> None:
        self._http, self._rig = http, rig

    def preconnect(self) -> None:
        """Open no connection ahead: a test must know which call meets the fault."""

    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycResponse:
        kind = KINDS[request.path]
        allowed = min(timeout_seconds, self._rig.slow_kinds.get(kind, timeout_seconds))
        began, outcome = time.monotonic(), ""
        try:
            got = self._http.send(request, timeout_seconds=allowed)
            outcome = got.status
        except TransportError as error:
            outcome = error.reason
            self._rig.errors.append(f"{error} {error!r} {vars(error)}")
            raise
        finally:
            took = time.monotonic() - began
            call = RecordedCall(kind, allowed, took, outcome)
            self._rig.calls.append(call)
        return got


class Worker(NamedTuple):
    """A started function, invoked as by the cloud."""

    function: Function

    def invoke(self, event: object):
        """Invoke it with ten seconds left; it must return half a second earlier."""
        began = time.monotonic()
        response = self.function.invoke(event, {"time_limit_in_ms": LIMIT_MS})
        assert (time.monotonic() - began) * 1000 <= LIMIT_MS - MIN_LEFT_MS
        return response

    def deliver(self, order_no: str) -> list[str]:
        """Deliver an order; returns the messages of the batch item failures."""
        response = self.invoke(queue_batch(order_no))
        return [each["itemIdentifier"] for each in response["batchItemFailures"]]


class WorkerRig:
    """Workers of one app on one clock, and its state, evidence and events."""

    def __init__(
        self,
        folder: Path,
        platform: FaultyPlatform,
        stack: ExitStack,
        *,
        clock: ShiftedClock,
        patch: pytest.MonkeyPatch,
    ) -> None:
        self.service_rig = ServiceRig(folder, platform, stack)
        self.service_rig.environ |= {
            "KYCOURIER_QUEUE": f"sqlite:///{folder}/queue.db",
            "KYCOURIER_MAX_REPLY_BYTES": "1000000",
            "POWERTOOLS_LOG_LEVEL": "DEBUG",
        }
        self.platform, self.clock, self._stack = platform, clock, stack
        self.calls: list[RecordedCall] = []
        self.errors: list[str] = []
        self.slow_kinds: dict[str, float] = {}
        self._workers: dict[str, Worker] = {}
        self.output = io.StringIO()
        self._state, self._patch = folder / "state.db", patch

    def open_transport(self, *args: object, **options: object) -> RecordingTransport:
        """Open the real transport, recorded."""
        http = self._stack.enter_context(closing(HttpKycTransport(*args, **options)))
        return RecordingTransport(http, self)

    def start(self, name: str = "collect_results") -> Worker:
        """Start a function as its file does, and capture its output."""
        for stream in ("stdout", "stderr"):  # pytest replaces them in each phase
            self._patch.setattr(sys, stream, self.output)
        return Worker(getattr(bootstrap, f"start_{name}")())

    def _started(self, name: str) -> Worker:
        if name not in self._workers:
            self._workers[name] = self.start(name)
        return self._workers[name]

    def refresh_ticket(self) -> None:
        """Fill the ticket store, as the timer does."""
        assert self.start("refresh_ticket").invoke(TIMER_EVENT)["generation"]

    def sweep(self) -> None:
        """Sweep, always with the same worker."""
        self._started("sweep_orders").invoke(TIMER_EVENT)

    def row(self, order_no: str) -> OrderRecord:
        """Return an order's row."""
        orders = SqliteOrderStore(self._state, self.clock)
        record = orders.get(OrderKey(APP_ID, order_no))
        assert record is not None
        return record

    def check_not_early(self, order_no: str) -> None:
        """Check that neither sweep nor delivery queries an order before it is due."""
        with self.clock.frozen():
            if self.due_in(order_no) > DUE_TOLERANCE.total_seconds():
                calls = self.platform.calls.copy()
                self.sweep()
                self._started("collect_results").deliver(order_no)
                assert self.platform.calls == calls

    def due_in(self, order_no: str) -> float:
        """Return the seconds until an order is due."""
        return (self.row(order_no).due_at - self.clock.now()).total_seconds()

    def sweep_until_final(self, order_no: str) -> OrderRecord:
        """Sweep at each due time until the order is final."""
        for _ in range(MAX_SWEEPS):
            record = self.row(order_no)
            if record.state.is_final:
                return record
            self.clock.advance(self.due_in(order_no))
            self.sweep()
        raise AssertionError(self.row(order_no))

    def has_no_effect(self) -> bool:
        """Return whether no evidence is stored and no event published."""
        return not self.service_rig.objects() and not self.service_rig.events()

    def check_evidence(self, event: dict) -> None:
        """Check that each object of an event exists and matches its digest."""
        objects = [*event["data"]["photos"], event["data"]["manifest"]]
        assert len(objects) == 4
        root = self.service_rig.folder / "evidence"
        base = len(self.service_rig.environ["KYCOURIER_EVIDENCE"]) + 1
        for each in objects:
            content = (root / each["uri"][base:]).read_bytes()
            assert sha256(content).hexdigest() == each["sha256"]

    def sinks(self) -> dict[str, str]:
        """Return all that is stored and published, except the ticket record."""
        service_rig = self.service_rig
        manifests = service_rig.folder.glob("evidence/**/*.json")
        return {
            "state": _dump_sqlite(self._state),
            "queue": _dump_sqlite(service_rig.folder / "queue.db"),
            "events": repr(service_rig.events()),
            "keys": repr(service_rig.objects()),
            "manifests": "\n".join(path.read_text() for path in manifests),
            "errors": "\n".join(self.errors),
        }


def _dump_sqlite(path: Path) -> str:
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = lambda raw: raw.decode(errors="replace")
        lines = database.iterdump()
        return "\n".join(line for line in lines if '"tickets"' not in line)

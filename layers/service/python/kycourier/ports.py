"""Everything external, one small Protocol each; tests/ports has their contract suites.

Adapters raise the errors named here and no others. Instants of leases, due times and
the circuit breaker are by the store's clock (`OrderStore.now`, `Lease.seen_at`).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from msgspec import Struct

from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.documents.recognition import Document
from kycourier.core.events.sealed_content import SealedContent
from kycourier.core.leases import Lease
from kycourier.core.orders.pages import (
    Claim,
    Cursor,
    FindCursor,
    FoundPage,
    OrderFilter,
    Page,
)
from kycourier.core.orders.record import OrderKey, OrderRecord, OutboxEvent
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import Secret
from kycourier.core.tickets.pair import TicketPair
from kycourier.core.wire.messages import KycRequest, KycResponse


class KycTransport(Protocol):
    """One attempt at the platform, complete or not at all."""

    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycResponse:
        """Sends, and reads the whole response within `timeout_seconds`.

        Any status is a response. Raises TransportError, which has no URL.
        """


class TicketStore(Protocol):
    """The app's ticket pair, one versioned record."""

    def get(self, app_id: str) -> TicketPair | None:
        """Reads the pair. Raises StoreUnavailableError, NewerSchemaError."""

    def put(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        """Writes the pair if the stored generation (0: none) is the expected one and
        `lease` has the highest fence of the refresh lease.

        Raises StaleOwnerError, StoreUnavailableError.
        """  # noqa: D205 - one sentence


class LeaseStore(Protocol):
    """Exclusive rights that end by themselves, by the store's clock."""

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Takes the lease; returns None while another owner holds it.

        The holder itself gets its lease unchanged, with the same fence and end. A new
        holder's fence is higher than any before it. Raises StoreUnavailableError.
        """

    def release(self, name: str, *, lease: Lease) -> None:
        """Ends the lease if it is still this one; its fence is kept."""


class OrderStore(Protocol):
    """The orders' rows; every write is conditional on version and fence."""

    def now(self) -> datetime:
        """Returns the store's clock, aware UTC."""

    def register(self, draft: OrderRecord) -> Claim:
        """Inserts the row; not granted, and the stored row, if there is one."""

    def claim(
        self,
        draft: OrderRecord,
        *,
        owner: str,
        lease: timedelta,
        urgency: Urgency,
        folder: str,
        document: Document | None = None,
    ) -> Claim:
        """Claims as `state_machine.try_claim` does, or inserts. Raises as `get`."""

    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        """Replaces the row if version and fence are those of `expected`.

        Raises StaleOwnerError, StoreUnavailableError.
        """

    def get(self, order: OrderKey) -> OrderRecord | None:
        """Reads a row. Raises StoreUnavailableError, NewerSchemaError."""

    def list_due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """Lists due rows to collect or check for orphans; skips unreadable rows."""

    def list_unsent(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page:
        """Lists due rows that are final and have unsent events."""

    def find(
        self,
        app_id: str,
        wanted: OrderFilter,
        *,
        limit: int,
        after: FindCursor | None = None,
    ) -> FoundPage:
        """Finds orders, the newest first, each on one page whatever changes."""

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        """Counts an unprocessable message: source and problem, not its content."""


class BreakerStore(Protocol):
    """The app's circuit breaker, shared by all workers."""

    def get(self, app_id: str) -> BreakerRecord:
        """Reads the breaker; a closed one if there is none."""

    def open(
        self, app_id: str, breaker: BreakerRecord, *, expected_version: int
    ) -> None:
        """Writes the breaker over the expected version only. Raises StaleOwnerError."""

    def close(self, app_id: str) -> None:
        """Closes the breaker, whoever opened it: for an operator."""


class EvidenceStore(Protocol):
    """Objects that are never replaced."""

    def put(
        self,
        key: str,
        content: bytes,
        *,
        sha256: str,
        media_type: str,
        more: bool = False,
    ) -> None:
        """Stores the object whole and durably; the same bytes again are success.

        With `more` to follow in its folder, it may become durable only with the last.
        Raises EvidenceConflictError (other bytes exist), EvidenceUnavailableError.
        """

    def digest(self, key: str) -> str | None:
        """Reads the bytes and returns their SHA-256; None if there is no object."""

    def open(self, key: str) -> BinaryIO:
        """Opens the object for reading. Raises EvidenceUnavailableError."""

    def list(self, folder: str) -> Iterator[str]:
        """Lists the keys below a folder, whatever wrote them."""

    def link(self, key: str, *, seconds: int) -> str:
        """Returns a download URL that expires by itself."""


class EventSink(Protocol):
    """Where events are published; an event's id makes a repeat harmless."""

    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Publishes all, in order. Raises SinkUnavailableError if any was refused."""


class WebhookPort(EventSink, Protocol):
    """A sink that belongs to somebody else, and may take its time."""

    def publish_within(self, events: Sequence[OutboxEvent], *, seconds: float) -> None:
        """Sends each, in order, within `seconds`. Raises SinkUnavailableError."""


class Sealer(Protocol):
    """Encryption to the partner's public key."""

    def seal(self, content: SealedContent) -> str:
        """Returns the content as a compact JWE. Raises EvidenceUnavailableError."""


class WorkQueue(Protocol):
    """Delayed work, delivered at least once."""

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        """Delivers a message after `delay`. Raises StoreUnavailableError."""


class SecretSource(Protocol):
    """One secret, behind its reference."""

    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError."""


class Clock(Protocol):
    """This worker's time, which may be wrong by minutes."""

    def now(self) -> datetime:
        """Returns the wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Returns seconds on a clock that is never set back."""

    def sleep(self, seconds: float) -> None:
        """Waits."""


class Random(Protocol):
    """Randomness."""

    def nonce(self) -> str:
        """Draws 32 letters and digits, unguessable."""

    def draw(self) -> float:
        """Draws uniformly from [0, 1)."""


class EventLog(Protocol):
    """Log events, for people and alarms."""

    def emit(self, event: str, **fields: str | float | None) -> None:
        """Writes one event of `logs.LOG_EVENTS` with allow-listed fields."""


class Stores(Struct, frozen=True, kw_only=True):
    """The four stores that the state setting names."""

    tickets: TicketStore
    leases: LeaseStore
    orders: OrderStore
    breakers: BreakerStore


class RuntimeDeps(Struct, frozen=True, kw_only=True):
    """What every use case needs of its process."""

    clock: Clock
    random: Random
    event_log: EventLog

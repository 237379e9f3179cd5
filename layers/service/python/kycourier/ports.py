"""What is not ours, one small Protocol each; each has a contract suite in tests/ports.

Adapters raise the errors named here and no others. Instants of leases, due times and
pauses are by the store's clock (`OrderStore.now`, `Lease.seen_at`), never a worker's.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

from msgspec import Struct

from kycourier.core.brake import Brake
from kycourier.core.hidden import Secret
from kycourier.core.models import KycReply, KycRequest, Lease, OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, OutboxEvent
from kycourier.core.ticket import TicketPair


class KycTransport(Protocol):
    """One attempt at the platform, whole or not at all."""

    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycReply:
        """Send and read to the end within `timeout_seconds`, headers and body included.

        Any status is a reply. Raises UpstreamUnreachable, without the URL.
        """


class TicketStore(Protocol):
    """The app's ticket pair, one versioned record."""

    def load(self, app_id: str) -> TicketPair | None:
        """Read the pair, strongly. Raises StoreUnavailable, NewerSchema."""

    def save(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        """Write the pair only if the stored generation (0: none) is the expected one
        and `lease` still has the highest fence of the refresh lease.

        Raises StaleOwner, StoreUnavailable.
        """  # noqa: D205 - one sentence


class LeaseStore(Protocol):
    """Exclusive rights that end by themselves, by the store's clock."""

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Take the lease, or None while another holds it.

        The holder itself is given its lease as it stands, with the same fence and end.
        A new holder's fence is higher than any before it. Raises StoreUnavailable.
        """

    def release(self, name: str, *, lease: Lease) -> None:
        """End the lease if it is still this one; the fence is remembered."""


class Claim(Struct, frozen=True):
    """The row after a claim; `granted` tells whether it is ours to work on."""

    record: OrderRecord
    granted: bool


class Cursor(Struct, frozen=True):
    """Where a page ended."""

    due_at: datetime
    order_no: str


class Page(Struct, frozen=True):
    """Some rows, the longest due first, and where to go on; None at the end.

    `unreadable` counts the rows passed over: damaged, or of a newer release.
    """

    records: tuple[OrderRecord, ...]
    next: Cursor | None
    unreadable: int = 0


class OrderStore(Protocol):
    """The orders' rows; every write is conditional on version and fence."""

    def now(self) -> datetime:
        """Tell the store's clock, aware UTC."""

    def register(self, draft: OrderRecord) -> Claim:
        """Insert the row; `granted` is False when there is one already, given as is."""

    def claim(
        self,
        draft: OrderRecord,
        *,
        owner: str,
        lease: timedelta,
        urgency: Urgency,
        folder: str,
    ) -> Claim:
        """Take the order if `order.take` does; insert it if absent.

        Raises StoreUnavailable, NewerSchema.
        """

    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        """Replace the row only if version and fence are those of `expected`.

        Raises StaleOwner, StoreUnavailable.
        """

    def load(self, order: OrderKey) -> OrderRecord | None:
        """Read a row, strongly. Raises StoreUnavailable, NewerSchema."""

    def due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """List rows whose due time has come and that need collecting or tidying.

        A row that cannot be read (damaged, or of a newer release) is passed over.
        """

    def unsent(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """List final rows whose due time has come and whose events are not all sent."""

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        """Keep that an unusable message came: where from and why, never what."""


class BrakeStore(Protocol):
    """The app's pause, shared by all workers."""

    def load(self, app_id: str) -> Brake:
        """Read the brake; a clean one when there is none."""

    def trip(self, app_id: str, brake: Brake, *, expected_version: int) -> None:
        """Write the brake only over the expected version. Raises StaleOwner."""

    def release(self, app_id: str) -> None:
        """End the pause, whoever began it: a person's word."""


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
        """Store the object whole and lastingly; the same bytes again are success.

        With `more` to come in its folder it may last only once they do. Raises
        EvidenceConflict (other bytes are there), EvidenceUnavailable.
        """

    def digest(self, key: str) -> str | None:
        """Read the bytes back and give their SHA-256; None when there is no object."""

    def open(self, key: str) -> BinaryIO:
        """Open the object for reading. Raises EvidenceUnavailable."""

    def list(self, folder: str) -> Iterator[str]:
        """List the keys below a folder, whatever wrote them."""

    def link(self, key: str, *, seconds: int) -> str:
        """Make a download URL that ends by itself."""


class EventSink(Protocol):
    """Where events go; the event's id makes a repeat harmless."""

    def publish(self, events: Sequence[OutboxEvent]) -> None:
        """Hand over all, in order. Raises SinkUnavailable if any was not taken."""


class WorkQueue(Protocol):
    """Delayed work, delivered at least once."""

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        """Deliver a message for the order after `delay`. Raises StoreUnavailable."""


class SecretSource(Protocol):
    """One secret, where its reference says."""

    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable."""


class Clock(Protocol):
    """This worker's time, which may be wrong by minutes."""

    def now(self) -> datetime:
        """Tell the wall clock, aware UTC."""

    def monotonic(self) -> float:
        """Tell seconds on a clock that is never set back."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class NonceSource(Protocol):
    """Randomness."""

    def nonce(self) -> str:
        """Draw 32 letters and digits, unguessable."""

    def draw(self) -> float:
        """Draw uniformly from [0, 1)."""


class Journal(Protocol):
    """Facts for people and alarms."""

    def note(self, fact: str, **fields: str | float | None) -> None:
        """Write one fact of `logs.FACTS` with allow-listed fields."""


class State(Struct, frozen=True, kw_only=True):
    """The four stores that one state setting names."""

    tickets: TicketStore
    leases: LeaseStore
    orders: OrderStore
    brakes: BrakeStore


class Ambient(Struct, frozen=True, kw_only=True):
    """What every story needs around it."""

    clock: Clock
    nonces: NonceSource
    journal: Journal

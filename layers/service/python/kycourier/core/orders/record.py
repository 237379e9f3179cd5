"""The order's row as stores keep it and as the API shows it."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import msgspec
from msgspec import Struct

from kycourier.core.causes import LastProblem
from kycourier.core.documents.recognition import Document
from kycourier.core.documents.registry import DEFAULT_DOCUMENT, documents
from kycourier.core.errors import NewerSchemaError
from kycourier.core.orders.delivery import Delivery, describe_delivery
from kycourier.core.orders.results import OrderResult
from kycourier.core.redaction import repr_only
from kycourier.core.versioned import decode_versioned

SCHEMA = 1


class OrderKey(Struct, frozen=True):
    """The unit of work: one scan of one app."""

    app_id: str
    order_no: str


class OrderState(str, Enum):
    """Where an order stands; the last four states are final."""

    REGISTERED = "registered"
    COLLECTING = "collecting"
    WAITING = "waiting"
    COLLECTED = "collected"
    REJECTED = "rejected"
    EXPIRED = "expired"
    PARKED = "parked"

    @property
    def is_final(self) -> bool:
        """Whether the state never changes (an operator may reopen a parked order)."""
        return self in _FINAL


_FINAL = {
    OrderState.COLLECTED,
    OrderState.REJECTED,
    OrderState.EXPIRED,
    OrderState.PARKED,
}


class Reason(str, Enum):
    """Why an order waits."""

    NOT_READY = "not_ready"
    PHOTOS_PENDING = "photos_pending"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    CREDENTIALS = "credentials"
    PAUSED = "paused"
    APP_STOPPED = "app_stopped"


class PendingWork(str, Enum):
    """What is to be done for an order when it is due."""

    COLLECT = "collect"
    PUBLISH = "publish"
    CHECK_ORPHANS = "check_orphans"


@repr_only("id", "type", "sent")
class OutboxEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event, byte for byte as published; at most one of each type in a row.

    `source`, `subject` and `traceparent` are the attributes in its body. An event that
    was given up as `undeliverable` is sent by hand only.
    """

    id: str
    type: str
    body: str
    source: str = ""
    subject: str = ""
    traceparent: str | None = None
    created_at: datetime | None = None
    sent: bool = False
    undeliverable: bool = False


class OrderRecord(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order's row.

    `due_at` is when the next thing is to be done, None for never. `tries` counts waits
    for the same reason in a row, `attempts` claims. `last_problem` is why the last
    attempt failed, if it did. `…_since` is when a condition began that has not ended.
    `next_scheduled_at` is when the schedule for "not ready" queries next, whoever
    queried in between. `folder` is the evidence folder below the app's, kept from the
    first claim. `called_at` and `reopened_at` are when the newest signed calls that
    counted were signed. `photos_gone` are kinds that were found to be deleted.
    """

    app_id: str
    order_no: str
    registered_at: datetime
    updated_at: datetime
    deadline_at: datetime
    state: OrderState = OrderState.REGISTERED
    document: Document = DEFAULT_DOCUMENT
    reason: str | None = None
    version: int = 1
    fence: int = 0
    owner: str | None = None
    lease_ends_at: datetime | None = None
    due_at: datetime | None = None
    attempts: int = 0
    tries: int = 0
    not_ready_tries: int = 0
    next_scheduled_at: datetime | None = None
    unknown_tries: int = 0
    photo_tries: int = 0
    photos_since: datetime | None = None
    credentials_since: datetime | None = None
    failing_since: datetime | None = None
    last_problem: LastProblem | None = None
    called_at: datetime | None = None
    reopened_at: datetime | None = None
    folder: str | None = None
    traceparent: str | None = None
    result: OrderResult | None = None
    events: tuple[OutboxEvent, ...] = ()
    delivery: Delivery | None = None
    orphans_checked: bool = False
    photos_gone: tuple[str, ...] = ()
    schema: int = msgspec.field(default_factory=lambda: SCHEMA)  # never omitted

    @property
    def key(self) -> OrderKey:
        """The order's identity in stores."""
        return OrderKey(self.app_id, self.order_no)

    @property
    def identity(self) -> Mapping[str, object]:
        """The order's identity in events and manifests."""
        return {
            "app_id": self.app_id,
            "order_no": self.order_no,
            "document": self.document,
        }

    @property
    def unsent(self) -> tuple[OutboxEvent, ...]:
        """The events that are still to be sent, oldest first."""
        return tuple(
            each for each in self.events if not (each.sent or each.undeliverable)
        )

    @property
    def unsent_since(self) -> datetime | None:
        """When the oldest unsent event was made."""
        return next((event.created_at for event in self.unsent), None)

    @property
    def failing_seconds(self) -> float | None:
        """For how long attempts had failed when the last one ended."""
        since = self.failing_since
        return None if since is None else (self.updated_at - since).total_seconds()

    @property
    def pending_work(self) -> PendingWork:
        """What is to be done when the order is due."""
        if not self.state.is_final:
            return PendingWork.COLLECT
        return PendingWork.PUBLISH if self.unsent else PendingWork.CHECK_ORPHANS


def describe(record: OrderRecord) -> Mapping[str, object]:
    """Builds the order as the API shows it."""
    is_final = record.state.is_final
    waits = record.state in {OrderState.REGISTERED, OrderState.WAITING}
    document = record.document
    gone = {"photos_gone": list(record.photos_gone)} if record.photos_gone else {}
    return {
        "app_id": record.app_id,
        "order_no": record.order_no,
        "document": document,
        "state": record.state.value,
        "reason": record.reason,
        "last_problem": record.last_problem and record.last_problem.describe(),
        "attempts": record.attempts,
        "version": record.version,
        "registered_at": record.registered_at,
        "updated_at": record.updated_at,
        "due_at": record.due_at if waits else None,
        "deadline_at": record.deadline_at,
        "event_id": record.events[-1].id if is_final and record.events else None,
        "delivery": describe_delivery(record) if is_final else None,
        "result": {"document": document, **record.result.data(), **gone}
        if is_final and record.result
        else None,
    }


def encode_record(record: OrderRecord) -> bytes:
    """Encodes a row for the state store."""
    return msgspec.json.encode(record)


def decode_record(text: bytes) -> OrderRecord:
    """Decodes a row.

    Raises:
        NewerSchemaError: a newer release wrote it, also if it names a new document.
        StoreUnavailableError: it is damaged.
    """
    record = decode_versioned(text, OrderRecord, schema=SCHEMA, name="order")
    if record.document not in documents():
        raise NewerSchemaError("order")
    return record

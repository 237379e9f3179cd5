"""The order's row as it is stored, and as the API shows it."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from enum import Enum

import msgspec
from msgspec import Struct

from kycourier.core.hidden import shows
from kycourier.core.models import Document, OrderKey
from kycourier.core.stored import decode_stored

SCHEMA = 1


class State(str, Enum):
    """Where an order stands; the last four are final."""

    REGISTERED = "registered"
    COLLECTING = "collecting"
    WAITING = "waiting"
    COLLECTED = "collected"
    REJECTED = "rejected"
    EXPIRED = "expired"
    PARKED = "parked"

    @property
    def is_final(self) -> bool:
        """Tell whether the state is for good (a person may lift a parked order)."""
        return self in _FINAL


_FINAL = {State.COLLECTED, State.REJECTED, State.EXPIRED, State.PARKED}


class Reason(str, Enum):
    """Why an order waits."""

    NOT_READY = "not_ready"
    PHOTOS_PENDING = "photos_pending"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    CREDENTIALS = "credentials"


class Need(str, Enum):
    """What is still to be done for an order when its `due_at` has come."""

    COLLECT = "collect"
    SEND = "send"
    TIDY = "tidy"


@shows("id", "type", "sent")
class OutboxEvent(Struct, frozen=True, kw_only=True):
    """One event as it is sent, to the byte; at most one of each type in a row."""

    id: str
    type: str
    body: str
    sent: bool = False


class _Made(Struct):
    time: datetime


class OrderRecord(Struct, frozen=True, kw_only=True):
    """An order's row. `due_at` is when the next thing is to be done, None for never.

    `tries` counts waits for the same reason in a row, `attempts` claims; `…_since` is
    when something began that has not ended. `turn_at` is when the schedule for "not
    ready" asks next, whoever asks before. `folder` is
    the evidence folder below the app's, kept from the first claim. `called_at` and
    `reopened_at` are when the newest calls that counted were signed, by their senders.
    """

    app_id: str
    order_no: str
    registered_at: datetime
    updated_at: datetime
    deadline_at: datetime
    state: State = State.REGISTERED
    document: Document = Document.BANK_CARD
    reason: str | None = None
    version: int = 1
    fence: int = 0
    owner: str | None = None
    lease_ends_at: datetime | None = None
    due_at: datetime | None = None
    attempts: int = 0
    tries: int = 0
    not_ready_tries: int = 0
    turn_at: datetime | None = None
    unknown_tries: int = 0
    photo_tries: int = 0
    photos_since: datetime | None = None
    credentials_since: datetime | None = None
    failing_since: datetime | None = None
    called_at: datetime | None = None
    reopened_at: datetime | None = None
    folder: str | None = None
    traceparent: str | None = None
    events: tuple[OutboxEvent, ...] = ()
    tidied: bool = False
    schema: int = SCHEMA

    @property
    def key(self) -> OrderKey:
        """The order's identity."""
        return OrderKey(self.app_id, self.order_no)

    @property
    def unsent(self) -> tuple[OutboxEvent, ...]:
        """The events that the sink has not taken yet, oldest first."""
        return tuple(event for event in self.events if not event.sent)

    @property
    def unsent_since(self) -> datetime | None:
        """When the oldest event that waits for the sink was made, if it says so."""
        for event in self.unsent:
            with suppress(msgspec.DecodeError):
                return msgspec.json.decode(event.body, type=_Made).time
        return None

    @property
    def need(self) -> Need:
        """What is to be done when `due_at` has come."""
        if not self.state.is_final:
            return Need.COLLECT
        return Need.SEND if self.unsent else Need.TIDY


def describe(record: OrderRecord) -> Mapping[str, object]:
    """Show the order as the API does; `result` is its last event's data without ids."""
    event = record.events[-1] if record.events and record.state.is_final else None
    asked = record.state in {State.REGISTERED, State.WAITING}
    return {
        "app_id": record.app_id,
        "order_no": record.order_no,
        "document": record.document.value,
        "state": record.state.value,
        "reason": record.reason,
        "version": record.version,
        "registered_at": record.registered_at,
        "updated_at": record.updated_at,
        "due_at": record.due_at if asked else None,
        "deadline_at": record.deadline_at,
        "event_id": event.id if event else None,
        "result": _result_of(event) if event else None,
    }


def _result_of(event: OutboxEvent) -> dict[str, object]:
    data: dict[str, object] = msgspec.json.decode(event.body)["data"]
    return {name: data[name] for name in data if name not in {"app_id", "order_no"}}


def encode_record(record: OrderRecord) -> bytes:
    """Write a row as the state store keeps it."""
    return msgspec.json.encode(record)


def decode_record(text: bytes) -> OrderRecord:
    """Read a row; raises NewerSchema, or StoreUnavailable when it is damaged."""
    return decode_stored(text, OrderRecord, schema=SCHEMA, name="order")

"""Builds the events that are published (CloudEvents 1.0)."""

import re
from collections.abc import Mapping
from datetime import datetime, timezone

import msgspec

from kycourier.core.documents.recognition import Document
from kycourier.core.orders.record import OrderRecord, OrderState, OutboxEvent

_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def event_type(document: Document, state: OrderState) -> str:
    """Returns the type of the event with which a document's order ends."""
    return f"kycourier.{document}.{state.value}.v1"


def parse_traceparent(text: object) -> str | None:
    """Returns a W3C `traceparent` of version 00 unchanged, else None."""
    if isinstance(text, str) and _TRACEPARENT.fullmatch(text):
        return text
    return None


def build_event(
    record: OrderRecord,
    state: OrderState,
    data: Mapping[str, object],
    *,
    event_id: str,
    now: datetime,
) -> OutboxEvent:
    """Builds the event of an order's end, as it will be published.

    Args:
        record: The order.
        state: Its final state.
        data: The event's data without the order's identity.
        event_id: The event's id: new for each event, the same in each delivery.
        now: The store's clock.
    """
    kind, source = event_type(record.document, state), f"/kycourier/{record.app_id}"
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": kind,
        "subject": record.order_no,
        "time": now.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datacontenttype": "application/json",
    }
    if record.traceparent:
        event["traceparent"] = record.traceparent
    event["data"] = {**record.identity, **data}
    body = msgspec.json.encode(event).decode()
    return OutboxEvent(
        id=event_id,
        type=kind,
        body=body,
        source=source,
        subject=record.order_no,
        traceparent=record.traceparent,
        created_at=now,
    )

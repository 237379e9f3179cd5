"""Renders events for the terminal: a row, a line, or the indented body."""

import json
from collections.abc import Iterator
from datetime import datetime

from kycourier.core.orders.record import OutboxEvent
from kycourier_devkit.events.stored import StoredEvent


def short_type(event: OutboxEvent) -> str:
    """Returns the document and the outcome: `bank_card.collected`."""
    return event.type.removeprefix("kycourier.").removesuffix(".v1")


def short_time(at: datetime) -> str:
    """Returns a time in UTC without its year."""
    return f"{at:%m-%d %H:%M:%S}"


def event_line(stored: StoredEvent) -> str:
    """Returns time, type and order in columns."""
    time, kind = short_time(stored.made_at), short_type(stored.event)
    return f"{time}  {kind:<20} {stored.record.order_no}"


def body_lines(event: OutboxEvent) -> Iterator[str]:
    """Yields the event's body, indented; for people, not byte for byte."""
    members = json.loads(event.body)
    yield from json.dumps(members, indent=2, ensure_ascii=False).split("\n")

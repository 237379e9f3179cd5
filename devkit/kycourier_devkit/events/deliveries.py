"""Sends one event, and renders what became of it."""

import msgspec

from kycourier.core.errors import SinkUnavailableError
from kycourier.ports import EventSink
from kycourier_devkit.events.stored import StoredEvent


def send_event(sink: EventSink, stored: StoredEvent) -> str | None:
    """Sends an event once. Returns None, or the word of the failure."""
    try:
        sink.publish((stored.event,))
    except SinkUnavailableError as error:
        return error.word
    return None


def delivery_json(stored: StoredEvent, word: str | None) -> str:
    """Returns one delivery as a JSON object."""
    members = {
        "event_id": stored.event.id,
        "type": stored.event.type,
        "order_no": stored.record.order_no,
        "delivered": word is None,
        "problem": word,
    }
    return msgspec.json.encode(members).decode()

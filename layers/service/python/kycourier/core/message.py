"""What a queue message or request says: which order, and whether it is ours."""

import re

import msgspec

from kycourier.core.errors import BadRequest
from kycourier.core.json_text import MalformedJson, parse_json
from kycourier.core.models import Document, OrderKey

_ORDER_NO = re.compile(r"[A-Za-z0-9]{1,32}")
MOST_BYTES = 16 * 1024


def parse_order_no(value: object) -> str:
    """Give an order number back when all of it is 1 to 32 ASCII letters and digits.

    Raises BadRequest, which does not repeat it.
    """
    if isinstance(value, str) and _ORDER_NO.fullmatch(value):
        return value
    raise BadRequest("bad_order_no")


def parse_order(members: object, *, app_id: str) -> tuple[OrderKey, Document]:
    """Read `order_no`, and `app_id` and `document` where they are named.

    Raises BadRequest for another app or an unknown document.
    """
    if not isinstance(members, dict):
        raise BadRequest("bad_message")
    if members.get("app_id", app_id) != app_id:
        raise BadRequest("foreign_app")
    document = members.get("document", Document.BANK_CARD.value)
    if document != Document.BANK_CARD.value:
        raise BadRequest("unknown_document")
    order_no = parse_order_no(members.get("order_no"))
    return OrderKey(app_id, order_no), Document.BANK_CARD


def parse_body(text: bytes) -> dict[str, object]:
    """Read a message's or request's JSON object. Raises BadRequest."""
    if len(text) > MOST_BYTES:
        raise BadRequest("body_too_large")
    try:
        members = parse_json(text)
    except MalformedJson:
        members = None
    if not isinstance(members, dict):
        raise BadRequest("bad_json")
    return members


def build_reminder(order: OrderKey, document: Document) -> str:
    """Build our own message for an order that is due: it heeds the row's due time."""
    reminder = {
        "order_no": order.order_no,
        "app_id": order.app_id,
        "document": document.value,
        "due": True,
    }
    return msgspec.json.encode(reminder).decode()


def is_reminder(members: object) -> bool:
    """Tell our own reminder from a message that announces an order."""
    return isinstance(members, dict) and members.get("due") is True

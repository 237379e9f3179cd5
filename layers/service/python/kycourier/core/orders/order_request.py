"""Parses what a queue message or request names: which order, which document."""

import re
from contextlib import suppress

import msgspec
from msgspec import Struct

from kycourier.core.documents.recognition import Document
from kycourier.core.documents.registry import parse_document
from kycourier.core.errors import ApiProblemError
from kycourier.core.orders.record import OrderKey
from kycourier.core.strict_json import MalformedJsonError, parse_json

MAX_BYTES = 16 * 1024
_ORDER_NO = re.compile(r"[A-Za-z0-9]{1,32}")


class OrderRequest(Struct, frozen=True, kw_only=True):
    """An order as a caller or message names it.

    Without a document it is that of the order's row, the default for a new one.
    """

    order: OrderKey
    document: Document | None = None
    traceparent: str | None = None


def parse_order_no(value: object) -> str:
    """Returns an order number of 1 to 32 ASCII letters and digits unchanged.

    Raises:
        ApiProblemError: it is another; the error does not repeat it.
    """
    if isinstance(value, str) and _ORDER_NO.fullmatch(value):
        return value
    raise ApiProblemError("bad_order_no")


def parse_order_request(
    members: object, *, app_id: str, traceparent: str | None = None
) -> OrderRequest:
    """Parses `order_no`, and `app_id` and `document` if they are present, not null.

    Raises:
        ApiProblemError: another app, or an unknown document.
    """
    if not isinstance(members, dict):
        raise ApiProblemError("bad_message")
    if members.get("app_id") not in (None, app_id):
        raise ApiProblemError("foreign_app")
    document = _parse_document(members.get("document"))
    order_no = parse_order_no(members.get("order_no"))
    return OrderRequest(
        order=OrderKey(app_id, order_no), document=document, traceparent=traceparent
    )


def _parse_document(value: object) -> Document | None:
    if value is None:
        return None
    with suppress(ValueError):
        return parse_document(value)
    raise ApiProblemError("unknown_document")


def parse_body(text: bytes) -> dict[str, object]:
    """Parses the JSON object of a message or request. Raises ApiProblemError."""
    if len(text) > MAX_BYTES:
        raise ApiProblemError("body_too_large")
    try:
        members = parse_json(text)
    except MalformedJsonError:
        members = None
    if not isinstance(members, dict):
        raise ApiProblemError("bad_json")
    return members


def build_reminder(order: OrderKey) -> str:
    """Builds our own message for an order; it does not overrule the row's due time.

    The document is not in it: the order's row names it.
    """
    reminder = {
        "order_no": order.order_no,
        "app_id": order.app_id,
        "due": True,
    }
    return msgspec.json.encode(reminder).decode()


def is_reminder(members: object) -> bool:
    """Checks whether a message is our own reminder, not an announcement."""
    return isinstance(members, dict) and members.get("due") is True

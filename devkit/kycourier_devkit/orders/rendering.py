"""Renders an order for the terminal: why it waits, its masked result, its photos."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kycourier.core.documents.registry import document_type
from kycourier.core.orders.delivery import describe_delivery
from kycourier.core.orders.record import OrderRecord, OrderState, describe
from kycourier.core.orders.results import CollectedResult
from kycourier_devkit.orders.cause_hints import describe_problem

NOTHING = "-"
_OWNER_SHOWN = 8


def why_it_waits(record: OrderRecord) -> str:
    """Returns the last problem, the holder of a running attempt, or the reason."""
    if record.state is OrderState.COLLECTING and record.owner:
        return f"held by {record.owner[:_OWNER_SHOWN]}"
    if record.last_problem:
        return describe_problem(record.last_problem)
    return record.reason or NOTHING


def next_attempt(record: OrderRecord) -> str:
    """Returns when the order is due, or its holder's lease ends: a time in UTC."""
    due = None if record.state.is_final else record.due_at
    return f"{due:%H:%M:%S}" if due else NOTHING


def headline(record: OrderRecord) -> str:
    """Returns the masked value by which a person knows the result, or a dash."""
    result = record.result
    if not isinstance(result, CollectedResult):
        return NOTHING
    return document_type(record.document).headline(result.masked) or NOTHING


def photo_count(record: OrderRecord) -> str:
    """Returns the number of photos, and of missing ones; a dash without a result."""
    result = result_of(record)
    if "photos" not in result:
        return NOTHING
    missing = len(result["photos_missing"])
    return f"{len(result['photos'])}" + (f" ({missing} missing)" if missing else "")


def result_of(record: OrderRecord) -> Mapping[str, Any]:
    """Returns the order's result as the API shows it; empty before the end."""
    result = describe(record)["result"]
    return result if isinstance(result, dict) else {}


def format_instant(value: object) -> str:
    """Returns an instant in UTC, or a dash."""
    if not isinstance(value, datetime):
        return NOTHING
    return value.strftime("%Y-%m-%d %H:%M:%S UTC")


def describe_sending(record: OrderRecord) -> str:
    """Returns how the delivery of an order's events stands, on one line."""
    found = describe_delivery(record)
    if found is None:
        return NOTHING
    parts = [str(found["state"]), str(found["problem"] or "")]
    if found["attempts"]:
        parts.append(f"attempts {found['attempts']}")
    if found["due_at"]:
        parts.append(f"next {format_instant(found['due_at'])}")
    return "  ".join(filter(None, parts))

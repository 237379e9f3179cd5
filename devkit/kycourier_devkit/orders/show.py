"""Show one order as it stands in the state."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from kycourier.core.models import OrderKey
from kycourier.core.order_record import OrderRecord, describe
from kycourier_devkit.orders.collect import check_number
from kycourier_devkit.orders.parts import STATE_NEEDS, open_parts
from kycourier_devkit.orders.shown import NOTHING, describe_card, result_of
from kycourier_devkit.session import Session


def show_order(session: Session, number: str, *, as_json: bool) -> int:
    """Print the order; give the exit code."""
    parts = open_parts(session, STATE_NEEDS)
    record = parts.state.orders.load(OrderKey(parts.app_id, check_number(number)))
    if record is None:
        session.screen.problem(f"There is no order {number} of {parts.app_id}.")
        return 1
    if as_json:
        session.screen.line(msgspec.json.encode(describe(record)).decode())
        return 0
    for name, value in _lines(record):
        session.screen.line(f"{name:<12}{value}")
    return 0


def _lines(record: OrderRecord) -> Iterator[tuple[str, str]]:
    members = describe(record)
    for name in ("order_no", "app_id", "state", "reason"):
        yield name.replace("_no", ""), str(members[name] or NOTHING)
    for name in ("registered_at", "updated_at", "due_at", "deadline_at"):
        yield name.removesuffix("_at"), _say_instant(members[name])
    if members["event_id"]:
        yield "event", str(members["event_id"])
    yield from _result_lines(record)


def _result_lines(record: OrderRecord) -> Iterator[tuple[str, str]]:
    result = result_of(record)
    if "card" not in result:
        return
    yield "card", describe_card(record)
    yield "valid until", str(result["card"]["valid_until"] or NOTHING)
    for warning in result["quality"]["warnings"]:
        yield "warning", f"{warning['code']} {warning['name']}"
    for photo in result["photos"]:
        yield photo["kind"], photo["uri"]
    for kind in result["photos_missing"]:
        yield kind, "missing"
    yield "manifest", result["manifest"]["uri"]


def _say_instant(value: object) -> str:
    if not isinstance(value, datetime):
        return NOTHING
    return value.strftime("%Y-%m-%d %H:%M:%S UTC")

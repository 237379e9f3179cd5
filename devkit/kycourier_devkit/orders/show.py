"""Prints one order: its state, instants and result."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from kycourier.core.orders.record import OrderKey, OrderRecord, describe
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.orders.container import STATE_SETTINGS, open_container
from kycourier_devkit.orders.order_numbers import check_order_number
from kycourier_devkit.orders.rendering import NOTHING, masked_card_number, result_of


def show_order(context: CliContext, number: str, *, as_json: bool) -> int:
    """Prints the order. Returns the exit code: 1 if there is no such order."""
    order_no = check_order_number(number)
    container = open_container(context, STATE_SETTINGS)
    record = container.stores.orders.get(OrderKey(container.app_id, order_no))
    if record is None:
        context.terminal.problem(
            f"Order {number} of {container.app_id} does not exist."
        )
        return 1
    if as_json:
        context.terminal.line(msgspec.json.encode(describe(record)).decode())
        return 0
    for name, value in _rows(record):
        context.terminal.line(f"{name:<12}{value}")
    return 0


def _rows(record: OrderRecord) -> Iterator[tuple[str, str]]:
    fields = describe(record)
    for name in ("order_no", "app_id", "state", "reason"):
        yield name.replace("_no", ""), str(fields[name] or NOTHING)
    for name in ("registered_at", "updated_at", "due_at", "deadline_at"):
        yield name.removesuffix("_at"), _format_instant(fields[name])
    if fields["event_id"]:
        yield "event", str(fields["event_id"])
    yield from _result_rows(record)


def _result_rows(record: OrderRecord) -> Iterator[tuple[str, str]]:
    result = result_of(record)
    if "card" not in result:
        return
    yield "card", masked_card_number(record)
    yield "valid until", str(result["card"]["valid_until"] or NOTHING)
    for warning in result["quality"]["warnings"]:
        yield "warning", f"{warning['code']} {warning['name']}"
    for photo in result["photos"]:
        yield photo["kind"], photo["uri"]
    for kind in result["photos_missing"]:
        yield kind, "missing"
    yield "manifest", result["manifest"]["uri"]


def _format_instant(value: object) -> str:
    if not isinstance(value, datetime):
        return NOTHING
    return value.strftime("%Y-%m-%d %H:%M:%S UTC")

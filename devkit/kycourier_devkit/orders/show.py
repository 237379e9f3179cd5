"""Prints one order: its state, attempts, last problem and result."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

import msgspec

from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState, describe
from kycourier.core.orders.results import CollectedResult
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.orders.cause_hints import describe_problem, hint_for
from kycourier_devkit.orders.container import STATE_SETTINGS, open_container
from kycourier_devkit.orders.order_numbers import check_order_number
from kycourier_devkit.orders.rendering import (
    NOTHING,
    describe_sending,
    format_instant,
    result_of,
)

_HIDDEN = {"number_fingerprint"}
_FILE = "file://"


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
    for name, value in (*_rows(record), *_result_rows(record)):
        context.terminal.line(f"{name:<17}{value}")
    for kind, uri in _files(record):
        context.terminal.line(f"{kind}:")
        context.terminal.line(_path_of(uri, context.folder))
    if record.last_problem:
        cause = record.last_problem.cause
        context.terminal.problem(f"{cause.value}: {hint_for(cause, container)}")
    return 0


def _rows(record: OrderRecord) -> Iterator[tuple[str, str]]:
    fields = describe(record)
    for name in ("order_no", "app_id", "document", "state", "reason", "attempts"):
        yield name.replace("_no", ""), str(fields[name] or NOTHING)
    if record.state is OrderState.COLLECTING:
        yield "held by", str(record.owner)
        yield "held until", format_instant(record.lease_ends_at)
    if last := record.last_problem:
        again = f", {last.count} times in a row" if last.count > 1 else ""
        yield "last problem", f"{describe_problem(last)}{again}"
        yield "", format_instant(last.at)
    yield "next attempt", format_instant(fields["due_at"])
    for name in ("registered_at", "updated_at", "deadline_at"):
        yield name.removesuffix("_at"), format_instant(fields[name])
    if fields["event_id"]:
        yield "event", str(fields["event_id"])
        yield "delivery", describe_sending(record)


def _result_rows(record: OrderRecord) -> Iterator[tuple[str, str]]:
    result = record.result
    if not isinstance(result, CollectedResult):
        return
    for part in result.masked.values():
        if isinstance(part, Mapping):
            yield from _member_rows(part)
    for kind in result.photos_missing:
        yield kind, "missing"


def _member_rows(members: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yields what a person reads of masked values: no empty ones, no fingerprint."""
    for name, value in members.items():
        label = name.replace("_", " ")
        if isinstance(value, Mapping):
            yield label, ", ".join(f"{each} {_word(it)}" for each, it in value.items())
        elif isinstance(value, list):
            yield from ((label, _word(each)) for each in value)
        elif value is not None and name not in _HIDDEN:
            yield label, _word(value)


def _word(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(str(each) for each in value.values() if each is not None)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOTHING if value is None else str(value)


def _files(record: OrderRecord) -> Iterator[tuple[str, str]]:
    result = result_of(record)
    if "manifest" in result:
        for photo in result["photos"]:
            yield photo["kind"], photo["uri"]
        yield "manifest", result["manifest"]["uri"]


def _path_of(uri: str, folder: Path) -> str:
    """Returns a local file's path, relative where it can be; other URIs unchanged.

    It is printed on a line of its own, so that it can be copied whole.
    """
    if not uri.startswith(_FILE):
        return uri
    path = Path(unquote(uri.removeprefix(_FILE)))
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)

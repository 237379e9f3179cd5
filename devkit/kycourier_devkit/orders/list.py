"""Lists orders: by state, cause and time of registration, the newest first."""

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import TypeVar

import msgspec
from msgspec import Struct

from kycourier.core.causes import Cause
from kycourier.core.orders.pages import OrderFilter
from kycourier.core.orders.record import OrderRecord, OrderState, describe
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError
from kycourier_devkit.events.selection import parse_time
from kycourier_devkit.orders.container import STATE_SETTINGS, open_container
from kycourier_devkit.orders.document_option import parse_document_option
from kycourier_devkit.orders.rendering import format_instant, why_it_waits

E = TypeVar("E", bound=Enum)
_PAGE = 100
_HEAD = ("order", "state", "why", "registered")


class ListOptions(Struct, frozen=True, kw_only=True):
    """The options of the command; a `limit` of None lists all."""

    state: str | None
    document: str | None
    cause: str | None
    since: str | None
    until: str | None
    limit: int | None
    as_json: bool


def list_orders(context: CliContext, options: ListOptions) -> int:
    """Prints the orders. Returns the exit code: 1 if a row cannot be read.

    Raises:
        UsageError: An option is wrong.
        SettingError: The state cannot be used.
    """
    if options.limit is not None and options.limit < 1:
        raise UsageError("--limit: must be 1 or more")
    container = open_container(context, STATE_SETTINGS)
    orders = container.stores.orders
    now = orders.now()
    wanted = OrderFilter(
        state=_choose(OrderState, options.state, "--state"),
        document=parse_document_option(options.document),
        cause=_choose(Cause, options.cause, "--cause"),
        since=_parse_time(options.since, "--since", now),
        until=_parse_time(options.until, "--until", now),
    )

    unreadable = 0

    def walk() -> Iterator[OrderRecord]:
        nonlocal unreadable
        after, left = None, options.limit or sys.maxsize
        while left:
            size = min(_PAGE, left)
            page = orders.find(container.app_id, wanted, limit=size, after=after)
            unreadable += page.unreadable
            yield from page.records
            left, after = left - len(page.records), page.next
            if after is None:
                return

    if options.as_json:
        for record in walk():
            context.terminal.line(msgspec.json.encode(describe(record)).decode())
    else:
        _print_table(context, [_row(record) for record in walk()], options.limit)
    if unreadable:
        context.terminal.problem(
            f"{unreadable} could not be read: damaged, or of a newer release"
        )
    return 1 if unreadable else 0


def _print_table(
    context: CliContext, rows: Sequence[tuple[str, ...]], limit: int | None
) -> None:
    if not rows:
        context.terminal.line("No orders match.")
        return
    context.terminal.table(_HEAD, rows)
    if len(rows) == limit:
        context.terminal.note(f"The newest {len(rows)} are shown: --all, or --limit.")


def _row(record: OrderRecord) -> tuple[str, str, str, str]:
    registered = format_instant(record.registered_at).removesuffix(" UTC")
    return record.order_no, record.state.value, why_it_waits(record), registered


def _parse_time(text: str | None, option: str, now: datetime) -> datetime | None:
    return None if text is None else parse_time(text, option, now=now)


def _choose(kind: type[E], text: str | None, option: str) -> E | None:
    """Returns the member of that value. Raises UsageError for another text."""
    if text is None:
        return None
    try:
        return kind(text)
    except ValueError:
        known = ", ".join(str(each.value) for each in kind)
    raise UsageError(f"{option}: must be {known}")

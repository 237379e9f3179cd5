"""Prints the events that the orders' rows hold: a list, one event, the last ones."""

import re

from kycourier.core.orders.record import OutboxEvent
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError
from kycourier_devkit.events.following import follow
from kycourier_devkit.events.rendering import (
    body_lines,
    event_line,
    short_time,
    short_type,
)
from kycourier_devkit.events.selection import EventFilter, build_filter
from kycourier_devkit.events.stored import EventRows, StoredEvent
from kycourier_devkit.orders.container import STATE_SETTINGS, open_container
from kycourier_devkit.orders.order_numbers import check_order_number

_HEAD = ("time", "type", "order", "sent", "event")
_MAX_SEARCHED = 10_000
_ID = re.compile("[A-Za-z0-9]{1,64}")


def list_events(
    context: CliContext,
    *,
    since: str | None,
    until: str | None,
    type_: str | None,
    order: str | None,
    limit: int,
    as_json: bool,
) -> int:
    """Prints the newest events, the newest first. Returns the exit code."""
    number = None if order is None else check_order_number(order, "--order")
    rows = open_rows(context)
    wanted = build_filter(since, until, type_, now=rows.now())
    if number is None:
        found = rows.newest(wanted, limit=limit)
    else:
        found = _of_order(rows, number, wanted)[-limit:][::-1]
    if as_json:
        _print_bodies(context, found)
    elif found:
        # The id does not fit into 80 columns.
        width = len(_HEAD) - context.terminal.is_terminal
        cells = (_row(stored)[:width] for stored in found)
        context.terminal.table(_HEAD[:width], cells)
    else:
        context.terminal.line("No event.")
    return 0


def show_event(context: CliContext, name: str, *, as_json: bool, as_raw: bool) -> int:
    """Prints the event of an id, or the newest event of an order.

    Returns:
        The exit code: 1 if there is none.
    """
    if as_json and as_raw:
        raise UsageError("use --json or --raw, not both")
    if not _ID.fullmatch(name):
        raise UsageError("EVENT: must be an event's id, or an order number")
    rows = open_rows(context)
    stored = _find(rows, name)
    if stored is None:
        context.terminal.problem(
            f"No event found for {name}: it must be an order that has ended, or the"
            f" id of an event of the newest {_MAX_SEARCHED} orders."
        )
        return 1
    event = stored.event
    if as_raw:
        context.terminal.raw(event.body)
    elif as_json:
        context.terminal.line(event.body)
    else:
        for line in body_lines(event):
            context.terminal.line(line)
    return 0


def tail_events(
    context: CliContext,
    *,
    follows: bool,
    count: int,
    type_: str | None,
    as_json: bool,
) -> int:
    """Prints the last events, the oldest first, then new ones if `follows`.

    Returns:
        The exit code.
    """
    rows = open_rows(context)
    wanted = build_filter(None, None, type_, now=rows.now())
    started = rows.now()

    def show(stored: StoredEvent) -> None:
        context.terminal.line(stored.event.body if as_json else event_line(stored))

    last = rows.newest(wanted, limit=count)[::-1] if count else []
    for stored in last:
        show(stored)
    if follows:
        follow(
            context, rows, wanted, show, since=started, but={s.event.id for s in last}
        )
    return 0


def open_rows(context: CliContext) -> EventRows:
    """Opens the state that the settings name. Raises SettingError."""
    return EventRows(open_container(context, STATE_SETTINGS))


def _of_order(rows: EventRows, number: str, wanted: EventFilter) -> list[StoredEvent]:
    found = rows.of_order(number) or []
    return [each for each in found if wanted.matches(each.event, at=each.made_at)]


def _find(rows: EventRows, name: str) -> StoredEvent | None:
    """Returns the newest event of the order, else the event of the id."""
    try:
        found = rows.of_order(check_order_number(name))
    except UsageError:
        found = None  # longer than an order number
    return found[-1] if found else rows.find_id(name, max_orders=_MAX_SEARCHED)


def _row(stored: StoredEvent) -> tuple[str, ...]:
    event = stored.event
    return (
        short_time(stored.made_at),
        short_type(event),
        stored.record.order_no,
        _sent_word(event),
        event.id,
    )


def _sent_word(event: OutboxEvent) -> str:
    """Says whether an event was sent, is still to be sent, or was given up."""
    if event.sent:
        return "yes"
    return "failed" if event.undeliverable else "no"


def _print_bodies(context: CliContext, found: list[StoredEvent]) -> None:
    for stored in found:
        context.terminal.line(stored.event.body)

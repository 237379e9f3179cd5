"""Sends events again: those of named orders, or those of a time."""

import shlex
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import typer
from msgspec import Struct
from msgspec.structs import replace

from kycourier.core.errors import KycourierError, SinkUnavailableError
from kycourier.usecases.resend_event import EventResender
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.exit_codes import NAME
from kycourier_devkit.errors import UsageError
from kycourier_devkit.events.deliveries import delivery_json, send_event
from kycourier_devkit.events.receiver import (
    check_url,
    open_receiver,
    open_webhook_secret,
)
from kycourier_devkit.events.rendering import event_line
from kycourier_devkit.events.selection import EventFilter, build_filter
from kycourier_devkit.events.stored import EventRows, StoredEvent, in_order
from kycourier_devkit.orders.container import STATE_SETTINGS, open_container
from kycourier_devkit.orders.order_numbers import check_order_number
from kycourier_devkit.workspace.local_settings import EVENTS_FILE

_MAX_UNASKED = 100
_MAX_FAILURES = 5
_MAX_NAMED = 20
_UNKNOWN = "unknown_event"

Send = Callable[[StoredEvent], str | None]  # returns the word of a failure


class ResendOptions(Struct, frozen=True, kw_only=True):
    """The options of the command as they were given."""

    orders: Sequence[str]
    since: str | None = None
    until: str | None = None
    type: str | None = None
    to: str | None = None
    is_sure: bool = False
    as_json: bool = False


def resend(context: CliContext, options: ResendOptions) -> int:
    """Sends the chosen events again, the oldest first.

    Returns:
        The exit code: 1 if one was not accepted, or an order has none.

    Raises:
        UsageError: An option is wrong, or a confirmation is needed without a terminal.
        SettingError: A setting is missing or wrong.
    """
    _check(options)
    needs = STATE_SETTINGS if options.to else STATE_SETTINGS | {"events"}
    container = open_container(context, needs)
    rows = EventRows(container)
    now = rows.now()
    wanted = build_filter(options.since, options.until, options.type, now=now)
    if not options.orders:  # events that are made meanwhile are sent by themselves
        wanted = replace(wanted, until=wanted.until or now)
    if options.to:
        secret = open_webhook_secret(context)
        sink = open_receiver(context, options.to, secret=secret)
        send = partial(send_event, sink)
    else:
        resender = EventResender(
            container.publisher.sink, stores=container.stores, deps=container.deps
        )
        send = partial(_resend, resender)
    events, lacking = _choose(rows, options.orders, wanted)
    for order_no, why in lacking.items():
        context.terminal.problem(f"{order_no}: {why}")
    if not _is_confirmed(context, len(events), is_sure=options.is_sure):
        context.terminal.line("Nothing was sent.")
        return 1
    run = ResendRun(context, options, events, until=wanted.until)
    return max(run.send_all(send), 1 if lacking else 0)


class ResendRun:
    """One run over the chosen events; it says where it stopped."""

    def __init__(
        self,
        context: CliContext,
        options: ResendOptions,
        events: list[StoredEvent],
        *,
        until: datetime | None,
    ) -> None:
        self._context, self._terminal = context, context.terminal
        self._options, self._events, self._until = options, events, until
        self._failed: list[StoredEvent] = []
        self._done = 0

    def send_all(self, send: Send) -> int:
        """Sends one after the other; stops after five failures in a row.

        Returns:
            The exit code.
        """
        in_a_row = 0
        try:
            with self._terminal.progress("Sending", len(self._events)) as bar:
                for stored in self._events:
                    word = send(stored)
                    self._done += 1
                    self._report(stored, word)
                    bar.advance()
                    in_a_row = in_a_row + 1 if word else 0
                    if in_a_row == _MAX_FAILURES and self._done < len(self._events):
                        self._terminal.problem(f"Stopped: {in_a_row} failures in a row")
                        break
        finally:  # also after Ctrl-C: what was sent stays sent
            self._summarize()
        return 1 if self._failed or self._done < len(self._events) else 0

    def _report(self, stored: StoredEvent, word: str | None) -> None:
        if word:
            self._failed.append(stored)
        if self._options.as_json:
            self._terminal.line(delivery_json(stored, word))
        elif word:
            self._terminal.problem(f"{event_line(stored)}  {word}")

    def _summarize(self) -> None:
        count, failed = len(self._events), len(self._failed)
        if not self._options.as_json:
            where = self._where() if count else ""
            parts = [f"{self._done - failed} delivered{where}"]
            parts += [f"{failed} failed"] if failed else []
            rest = count - self._done
            parts += [f"{rest} not sent"] if rest else []
            noun = "event" if count == 1 else "events"
            self._terminal.line(f"{count} {noun}: {', '.join(parts)}.")
        remaining = [*self._failed, *self._events[self._done :]]
        if remaining:
            command = shlex.join(self._command(remaining))
            self._terminal.problem(f"To go on: {command}")

    def _where(self) -> str:
        """Names the local file: a shell without the settings of `serve` sends there."""
        context = self._context
        is_set = context.is_deployed or context.environ.get("KYCOURIER_EVENTS")
        return "" if self._options.to or is_set else f" to {EVENTS_FILE}"

    def _command(self, remaining: list[StoredEvent]) -> list[str]:
        """Returns the command that sends the remaining events.

        Few orders are named; of many, it begins with the oldest event.
        """
        options, stack = self._options, self._context.stack
        numbers = list(dict.fromkeys(each.record.order_no for each in remaining))
        words = [NAME, *(["--stack", stack] if stack else []), "resend"]
        if options.orders or len(numbers) <= _MAX_NAMED:
            words += numbers
        else:
            words += ["--since", _text(min(each.made_at for each in remaining))]
            words += ["--until", _text(self._until)] if self._until else []
        words += ["--type", options.type] if options.type else []
        words += ["--to", options.to] if options.to else []
        return words + (["--yes"] if options.is_sure else [])


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _check(options: ResendOptions) -> None:
    """Checks what needs no settings. Raises UsageError."""
    for number in options.orders:
        check_order_number(number)
    has_time = options.since is not None or options.until is not None
    if options.orders and has_time:
        raise UsageError("name orders as ORDER, or a time with --since, not both")
    if not options.orders and options.since is None:
        raise UsageError("no event: name an order as ORDER, or a time with --since")
    if options.to is not None:
        check_url(options.to, "--to")


def _choose(
    rows: EventRows, orders: Sequence[str], wanted: EventFilter
) -> tuple[list[StoredEvent], dict[str, str]]:
    """Returns the events, the oldest first, and the orders that have none."""
    if not orders:
        return rows.all(wanted), {}
    events: list[StoredEvent] = []
    lacking = {}
    for number in dict.fromkeys(orders):
        found = rows.of_order(number)
        chosen = [
            each for each in found or () if wanted.matches(each.event, at=each.made_at)
        ]
        if not chosen:
            lacking[number] = "no such order" if found is None else "has no such event"
        events += chosen
    return in_order(events), lacking


def _is_confirmed(context: CliContext, count: int, *, is_sure: bool) -> bool:
    if count <= _MAX_UNASKED or is_sure:
        return True
    if not (sys.stdin.isatty() and context.terminal.is_terminal):
        raise UsageError(f"{count} events: use --yes where no one can be asked")
    return typer.confirm(f"Send {count} events again?")


def _resend(resender: EventResender, stored: StoredEvent) -> str | None:
    """Sends an event to the sink. Returns None, or the word of the failure."""
    try:
        sent = resender.resend(stored.record.key, stored.event.id)
    except SinkUnavailableError as error:
        return error.word
    except KycourierError as error:
        return error.code
    return None if sent else _UNKNOWN

"""Forwards events to a receiver as they come: the command listen."""

from collections import deque

from kycourier.ports import EventSink
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.errors import UsageError
from kycourier_devkit.events.deliveries import delivery_json, send_event
from kycourier_devkit.events.following import follow
from kycourier_devkit.events.listing import open_rows
from kycourier_devkit.events.receiver import (
    GivenSecret,
    check_url,
    is_loopback,
    open_receiver,
    read_secret,
)
from kycourier_devkit.events.rendering import event_line
from kycourier_devkit.events.selection import EventFilter, build_filter
from kycourier_devkit.events.stored import StoredEvent

_NOT_RUNNING = "connect_failed"
_DELIVERED = "delivered"


def listen(
    context: CliContext,
    url: str,
    *,
    secret: str | None,
    since: str | None,
    type_: str | None,
    allows_remote: bool,
    as_json: bool,
) -> None:
    """Forwards each new event until Ctrl-C.

    Raises:
        UsageError: An option is wrong.
        SettingError: The state cannot be used.
    """
    check_url(url, "--forward-to")
    if not (allows_remote or is_loopback(url)):
        raise UsageError(
            "--forward-to: is another machine: add --allow-remote to permit it"
        )
    signing = read_secret(secret)
    rows = open_rows(context)
    wanted = build_filter(since or "now", None, type_, now=rows.now())
    sink = open_receiver(context, url, secret=GivenSecret(signing))
    if not as_json:
        context.terminal.line(f"Events are forwarded to {url}")
        context.terminal.line(f"The signing secret is {signing.expose()}")
        context.terminal.line("Press Ctrl-C to stop.")
    forwarder = Forwarder(context, sink, as_json=as_json)
    start = wanted.since or rows.now()
    follow(
        context,
        rows,
        EventFilter(type=wanted.type),
        forwarder.add,
        since=start,
        after_poll=forwarder.send,
    )


class Forwarder:
    """Sends events in order, and prints what became of each.

    Events wait for a receiver that does not run; any other failure is only printed.
    """

    def __init__(self, context: CliContext, sink: EventSink, *, as_json: bool) -> None:
        self._terminal, self._sink, self._as_json = context.terminal, sink, as_json
        self._waiting: deque[StoredEvent] = deque()
        self._is_down = False

    def add(self, stored: StoredEvent) -> None:
        """Adds an event behind those that wait."""
        self._waiting.append(stored)

    def send(self) -> None:
        """Sends the events that wait, until the receiver does not run."""
        while self._waiting:
            stored = self._waiting[0]
            word = send_event(self._sink, stored)
            was_down, self._is_down = self._is_down, word == _NOT_RUNNING
            if not (was_down and self._is_down):
                self._print(stored, word)
            if self._is_down:
                return
            self._waiting.popleft()

    def _print(self, stored: StoredEvent, word: str | None) -> None:
        if self._as_json:
            self._terminal.line(delivery_json(stored, word))
            return
        self._terminal.line(f"{event_line(stored)}  {word or _DELIVERED}")

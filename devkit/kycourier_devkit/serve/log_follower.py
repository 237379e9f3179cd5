"""Follows the functions' log, and prints a line for each order that moves."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from threading import Event
from typing import IO, Any

from kycourier.core.causes import Cause, Problem
from kycourier.core.errors import KycourierError
from kycourier.core.orders.record import OrderKey, OrderRecord
from kycourier.ports import OrderStore
from kycourier_devkit.orders.cause_hints import HINTS, describe_problem
from kycourier_devkit.orders.rendering import (
    NOTHING,
    describe_sending,
    headline,
    next_attempt,
    photo_count,
    why_it_waits,
)

_POLL_SECONDS = 0.1
_ORDER_EVENTS = {"order_waiting", "order_settled"}
_EVENT_ID_SHOWN = 8

Log = Callable[[str, str], None]  # source, text
LogEvent = Mapping[str, Any]


class LogFollower:
    """Reads the lines that the functions append, until `stop` is set."""

    def __init__(
        self, file: Path, *, app_id: str, orders: OrderStore, log: Log, stop: Event
    ) -> None:
        self._file, self._app_id, self._orders = file, app_id, orders
        self._log, self._stop = log, stop
        self._start = file.stat().st_size if file.exists() else 0

    def run(self) -> None:
        """Prints what is appended from now on."""
        with self._file.open("rb") as file:
            file.seek(self._start)
            for line in self._lines(file):
                event = _parse(line)
                if event is not None:
                    self._show(event)

    def _lines(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yields whole lines; a line that is being written is waited for."""
        part = b""
        while not self._stop.is_set():
            part += file.readline()
            if part.endswith(b"\n"):
                yield part
                part = b""
            else:
                self._stop.wait(_POLL_SECONDS)

    def _show(self, event: LogEvent) -> None:
        name = event.get("message")
        if name in _ORDER_EVENTS:
            number = str(event.get("order_no"))
            self._log(number, self._read(number, describe_order))
        elif name == "event_publish_failed":
            number = str(event.get("order_no"))
            self._log(number, f"event  {self._read(number, describe_sending)}")
        elif name == "event_undeliverable":
            number = str(event.get("order_no"))
            cure = f"send it by hand: kycourier resend {number}"
            self._log("UNDELIVERABLE", f"{number}: {event.get('problem')}: {cure}")
        elif name == "app_stopped":
            self._log("APP STOPPED", _explain(event, cure=HINTS[Cause.APP_STOPPED]))
        elif name == "breaker_opened":
            cure = f"calls pause for {event.get('seconds')} s"
            self._log("PAUSED", _explain(event, cure=cure))
        elif name in {"breaker_closed", "app_resumed"}:
            self._log("RESUMED", "calls to the platform go on")
        elif name == "ticket_refresh_failed":
            cause = Cause(event["cause"])
            self._log("ticket", _explain(event, cure=HINTS[cause]))

    def _read(self, number: str, describe: Callable[[OrderRecord], str]) -> str:
        """Returns what the row holds now; the log has no masked values."""
        try:
            record = self._orders.get(OrderKey(self._app_id, number))
        except KycourierError as error:
            return error.code
        return NOTHING if record is None else describe(record)


def describe_order(record: OrderRecord) -> str:
    """Returns an order's state, and its result or why it waits."""
    parts = [f"{record.state.value:<10}"]
    if record.state.is_final:
        parts += [headline(record)] if record.result else []
        if (photos := photo_count(record)) != NOTHING:
            parts.append(f"{photos} photos")
        else:
            parts = [parts[0], _why_it_ended(record)]
        if record.events:
            parts.append(f"event {record.events[-1].id[:_EVENT_ID_SHOWN]}")
    else:
        parts += [why_it_waits(record), f"next {next_attempt(record)}"]
    return "  ".join(parts)


def _why_it_ended(record: OrderRecord) -> str:
    last = record.last_problem
    return describe_problem(last) if last else record.reason or NOTHING


def _explain(event: LogEvent, *, cure: str) -> str:
    """Returns the event's cause and what to do."""
    if "cause" not in event:
        return cure
    problem = Problem(
        Cause(event["cause"]),
        event.get("code"),
        event.get("http_status"),
        event.get("detail"),
    )
    return f"{describe_problem(problem)}: {cure}"


def _parse(line: bytes) -> LogEvent | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None

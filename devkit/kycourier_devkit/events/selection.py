"""Parses the options that select events: a time, and a type."""

import re
from datetime import datetime, timedelta, timezone

from msgspec import Struct

from kycourier.core.documents.registry import documents
from kycourier.core.events.cloudevents import event_type
from kycourier.core.orders.record import OrderState, OutboxEvent
from kycourier_devkit.errors import UsageError

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_AGE = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_TIME_RULE = (
    "must be an age as 30m, 12h or 7d, a date as 2026-01-31 (UTC), a time with its"
    " zone as 2026-01-31T08:00:00Z, or now"
)


class EventFilter(Struct, frozen=True, kw_only=True):
    """Which events are wanted: `since` is included, `until` is not; None: all."""

    since: datetime | None = None
    until: datetime | None = None
    type: str | None = None

    def matches(self, event: OutboxEvent, *, at: datetime) -> bool:
        """Checks an event that was made at `at`."""
        return (
            (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
            and (self.type is None or self.type in names_of(event))
        )


def build_filter(
    since: str | None, until: str | None, type_: str | None, *, now: datetime
) -> EventFilter:
    """Builds the filter of the options. Raises UsageError for a wrong one."""
    return EventFilter(
        since=None if since is None else parse_time(since, "--since", now=now),
        until=None if until is None else parse_time(until, "--until", now=now),
        type=None if type_ is None else parse_type(type_),
    )


def names_of(event: OutboxEvent) -> set[str]:
    """Returns the names by which `--type` may select an event."""
    return {event.type, event.type.split(".")[2]}


def parse_type(text: str) -> str:
    """Returns an outcome or an event type. Raises UsageError for another text."""
    ends = [state for state in OrderState if state.is_final]
    outcomes = [state.value for state in ends]
    types = [event_type(document, state) for document in documents() for state in ends]
    if text in {*outcomes, *types}:
        return text
    raise UsageError(f"--type: must be {', '.join(outcomes)}, or as {types[0]}")


def parse_time(text: str, option: str, *, now: datetime) -> datetime:
    """Returns the instant that an option names, aware UTC.

    Raises:
        UsageError: It is no age, date or time; the text names the option.
    """
    try:
        at = _parse(text, now)
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise UsageError(f"{option}: {_TIME_RULE}")
    return at


def _parse(text: str, now: datetime) -> datetime | None:
    if text == "now":
        return now
    if age := _AGE.fullmatch(text):
        return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
    if _DATE.fullmatch(text):
        return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
    at = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text))
    return None if at.tzinfo is None else at.astimezone(timezone.utc)

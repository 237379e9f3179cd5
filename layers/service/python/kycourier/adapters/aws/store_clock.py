"""The store's time: the `Date` of its answers, carried on by the monotonic clock.

A `Date` is cut to the second and was true when the answer left, so an estimate lags the
store by up to a second and the way back; two workers differ by less than MARGIN.
"""

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import NamedTuple, Protocol

from kycourier.core.errors import StoreUnavailable
from kycourier.ports import Clock

MARGIN = timedelta(seconds=2)
_CUT = timedelta(seconds=1)


class StoreClock(Protocol):
    """A clock that its store's answers set."""

    def note(self, date: str | None) -> None:
        """Hear an answer's `Date` header."""

    def now(self) -> datetime:
        """Tell the store's time, aware UTC. Raises StoreUnavailable."""


class _Anchor(NamedTuple):
    date: datetime
    heard_at: float


class DateClock:
    """A StoreClock; threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._anchor: _Anchor | None = None

    def note(self, date: str | None) -> None:
        """Hear an answer's `Date`; one that is missing or unreadable says nothing.

        A later date than the estimate counts (we were behind, or frozen), and one so
        early that the estimate must be wrong; what lies between is rounding and travel.
        """
        told = _parse(date)
        if told is None:
            return
        heard_at = self._clock.monotonic()
        with self._lock:
            if self._anchor is not None:
                estimate = _carry_on(self._anchor, heard_at)
                if told <= estimate <= told + _CUT + MARGIN:
                    return
            self._anchor = _Anchor(told, heard_at)

    def now(self) -> datetime:
        """Tell the store's time, aware UTC. Raises StoreUnavailable without answers."""
        with self._lock:
            anchor = self._anchor
        if anchor is None:
            raise StoreUnavailable("no date from the store")
        return _carry_on(anchor, self._clock.monotonic())


def _carry_on(anchor: _Anchor, monotonic: float) -> datetime:
    return anchor.date + timedelta(seconds=monotonic - anchor.heard_at)


def _parse(date: str | None) -> datetime | None:
    if date is None:
        return None
    with suppress(ValueError, TypeError, OverflowError):
        told = parsedate_to_datetime(date)
        if told.tzinfo is None:  # `-0000`: UTC, and nothing known of the place
            return told.replace(tzinfo=timezone.utc)
        return told.astimezone(timezone.utc)
    return None

"""Estimates DynamoDB's time from the `Date` of its responses and the monotonic clock.

A `Date` is cut to the second and was right when the response was sent, so the estimate
is behind the store by less than a second plus the call's duration. Estimates of two
workers differ by less than DYNAMODB_CLOCK_MARGIN; a worker that cannot be sure of that
raises an error.
"""

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import NamedTuple, Protocol

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.timing import (
    DYNAMODB_CLOCK_FRESH,
    DYNAMODB_CLOCK_MARGIN,
    DYNAMODB_DATE_RESOLUTION,
)
from kycourier.ports import Clock


class StoreClock(Protocol):
    """A clock that the store's responses set."""

    def observe(self, date: str | None, *, sent_at: float) -> None:
        """Reads a response's `Date`; `sent_at` is the request's monotonic time."""

    def now(self) -> datetime:
        """Returns the store's time, aware UTC. Raises StoreUnavailableError."""

    def is_fresh(self) -> bool:
        """Checks whether a response came within DYNAMODB_CLOCK_FRESH."""


class _Anchor(NamedTuple):
    """A date as received; the store may be up to `lag` ahead of it."""

    date: datetime
    received_at: float
    lag: timedelta


class DateClock:
    """A StoreClock; threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._anchor: _Anchor | None = None
        self._received: tuple[float, datetime] | None = None

    def observe(self, date: str | None, *, sent_at: float) -> None:
        """Reads a response's `Date`; a missing or invalid one is ignored.

        A date later than the estimate replaces it (the worker was behind, or frozen),
        and so does one so early that the estimate must be wrong. Other dates differ by
        rounding and travel time, and only bound how far the estimate may be behind.
        """
        observed = _parse(date)
        if observed is None:
            return
        received_at = self._clock.monotonic()
        self._received = received_at, self._clock.now()
        lag = DYNAMODB_DATE_RESOLUTION + timedelta(seconds=received_at - sent_at)
        with self._lock:
            anchor = self._anchor
            if (
                anchor
                and observed
                <= _extrapolate(anchor, received_at)
                <= observed + DYNAMODB_DATE_RESOLUTION + DYNAMODB_CLOCK_MARGIN
            ):
                self._anchor = anchor._replace(lag=min(lag, anchor.lag))
            else:
                self._anchor = _Anchor(observed, received_at, lag)

    def now(self) -> datetime:
        """Returns the store's time, aware UTC.

        Raises:
            StoreUnavailableError: no response came fast enough for an estimate.
        """
        with self._lock:
            anchor = self._anchor
        if anchor is None:
            raise StoreUnavailableError("no date from the store")
        if anchor.lag > DYNAMODB_CLOCK_MARGIN:
            raise StoreUnavailableError("responses too slow to estimate the time")
        return _extrapolate(anchor, self._clock.monotonic())

    def is_fresh(self) -> bool:
        """Checks whether a response came within DYNAMODB_CLOCK_FRESH.

        The wall clock counts too, because the monotonic clock may stop while a function
        is frozen.
        """
        if self._received is None:
            return False
        monotonic, wall = self._received
        passed = timedelta(seconds=self._clock.monotonic() - monotonic)
        return max(passed, abs(self._clock.now() - wall)) < DYNAMODB_CLOCK_FRESH


def _extrapolate(anchor: _Anchor, monotonic: float) -> datetime:
    return anchor.date + timedelta(seconds=monotonic - anchor.received_at)


def _parse(date: str | None) -> datetime | None:
    if date is None:
        return None
    with suppress(ValueError, TypeError, OverflowError):
        parsed = parsedate_to_datetime(date)
        if parsed.tzinfo is None:  # `-0000` means UTC of an unknown time zone
            return parsed.replace(tzinfo=timezone.utc)
        return parsed.astimezone(timezone.utc)
    return None

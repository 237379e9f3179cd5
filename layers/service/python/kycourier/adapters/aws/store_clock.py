"""The store's time: the `Date` of its answers, carried on by the monotonic clock.

A `Date` is cut to the second and was true when the answer left, so an estimate lags the
store by less than a second and the time that the call took. Two workers' estimates
differ by less than MARGIN, or one of them says that it does not know.
"""

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import NamedTuple, Protocol

from kycourier.core.errors import StoreUnavailable
from kycourier.ports import Clock

MARGIN = timedelta(seconds=3)
_CUT = timedelta(seconds=1)
_JUST = timedelta(seconds=2)


class StoreClock(Protocol):
    """A clock that its store's answers set."""

    def note(self, date: str | None, *, asked_at: float) -> None:
        """Hear an answer's `Date` header, to a question of that monotonic moment."""

    def now(self) -> datetime:
        """Tell the store's time, aware UTC. Raises StoreUnavailable."""

    def was_just_set(self) -> bool:
        """Tell whether an answer was heard in the last two seconds."""


class _Anchor(NamedTuple):
    """A date as it was heard; the store may be up to `lag` ahead of it."""

    date: datetime
    heard_at: float
    lag: timedelta


class DateClock:
    """A StoreClock; threads may share it."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, Lock()
        self._anchor: _Anchor | None = None
        self._heard: tuple[float, datetime] | None = None

    def note(self, date: str | None, *, asked_at: float) -> None:
        """Hear an answer's `Date`; one that is missing or unreadable says nothing.

        A later date than the estimate counts (we were behind, or frozen), and one so
        early that the estimate must be wrong; what lies between is rounding and travel,
        and shows how far behind the estimate may be at most.
        """
        told = _parse(date)
        if told is None:
            return
        heard_at = self._clock.monotonic()
        self._heard = heard_at, self._clock.now()
        lag = _CUT + timedelta(seconds=heard_at - asked_at)
        with self._lock:
            anchor = self._anchor
            if anchor and told <= _carry_on(anchor, heard_at) <= told + _CUT + MARGIN:
                self._anchor = anchor._replace(lag=min(lag, anchor.lag))
            else:
                self._anchor = _Anchor(told, heard_at, lag)

    def now(self) -> datetime:
        """Tell the store's time, aware UTC.

        Raises StoreUnavailable without an answer that came soon enough to know it by.
        """
        with self._lock:
            anchor = self._anchor
        if anchor is None:
            raise StoreUnavailable("no date from the store")
        if anchor.lag > MARGIN:
            raise StoreUnavailable("too slow to tell the time by")
        return _carry_on(anchor, self._clock.monotonic())

    def was_just_set(self) -> bool:
        """Tell whether an answer was heard in the last two seconds.

        By the machine's clock too: the monotonic one may stand still while a function
        is frozen, and the estimate with it.
        """
        if self._heard is None:
            return False
        monotonic, wall = self._heard
        passed = timedelta(seconds=self._clock.monotonic() - monotonic)
        return max(passed, abs(self._clock.now() - wall)) < _JUST


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

"""Converts instants to whole microseconds since 1970, as key-value stores keep them."""

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TICK = timedelta(microseconds=1)


def to_ticks(instant: datetime) -> int:
    """Returns an instant as microseconds since 1970."""
    return (instant - _EPOCH) // TICK


def to_instant(ticks: int) -> datetime:
    """Reverses `to_ticks`; returns aware UTC."""
    return _EPOCH + ticks * TICK

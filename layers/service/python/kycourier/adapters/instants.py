"""Instants as whole microseconds since 1970, as stores compare them."""

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
TICK = timedelta(microseconds=1)


def to_ticks(instant: datetime) -> int:
    """Give an instant as microseconds since 1970."""
    return (instant - _EPOCH) // TICK


def to_instant(ticks: int) -> datetime:
    """Undo `to_ticks`: aware UTC."""
    return _EPOCH + ticks * TICK

"""Retry schedules, and back-off with full jitter; randomness is an argument."""

from datetime import timedelta

from kycourier.core.timing import (
    NOT_READY_SCHEDULE,
    ORDER_BACKOFF_FIRST,
    ORDER_BACKOFF_MAX,
    PHOTO_SCHEDULE,
    RETRY_AFTER_MAX,
)

IN_PLACE_PHOTO_TRIES = 3


def full_jitter(
    tries: int, *, first: timedelta, draw: float, cap: timedelta
) -> timedelta:
    """Returns the back-off before try number `tries` + 1.

    Args:
        tries: How many tries have failed.
        first: The ceiling of the first back-off; it doubles with each try.
        draw: Uniform in [0, 1): the part of the ceiling that is waited.
        cap: The highest ceiling.
    """
    ceiling: timedelta = min(cap, first * 2 ** min(tries, 20))
    return ceiling * draw


def after_failure(tries: int, *, draw: float) -> timedelta:
    """Returns the back-off after a transient failure."""
    return full_jitter(
        tries, first=ORDER_BACKOFF_FIRST, draw=draw, cap=ORDER_BACKOFF_MAX
    )


def until_ready(tries: int) -> timedelta:
    """Returns the delay before a result that was not ready is queried again."""
    return NOT_READY_SCHEDULE[min(tries, len(NOT_READY_SCHEDULE) - 1)]


def until_photos(tries: int) -> timedelta:
    """Returns the delay before late photos are queried again."""
    return PHOTO_SCHEDULE[min(tries, len(PHOTO_SCHEDULE) - 1)]


def parse_retry_after(
    text: str | None, *, cap: timedelta | None = None
) -> timedelta | None:
    """Parses a `Retry-After` in seconds, capped; returns None for anything else."""
    cap = cap or RETRY_AFTER_MAX
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(cap.seconds)):
        return cap
    return min(cap, timedelta(seconds=int(digits)))

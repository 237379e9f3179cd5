"""When to ask again: schedules and back-off with full jitter, randomness given."""

from datetime import timedelta

SECOND = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(minutes=5)
IN_PLACE_PHOTO_TRIES = 3

_NOT_READY = (5, 15, 60, 300, 3600)
_PHOTOS = (1, 2, 4, 15, 30, 60)


def full_jitter(
    tries: int, *, first: timedelta, draw: float, cap: timedelta = LONGEST_PAUSE
) -> timedelta:
    """Back off before try number `tries` + 1; `draw` is uniform in [0, 1).

    The ceiling doubles from `first` to `cap`; the wait is anywhere below it.
    """
    ceiling: timedelta = min(cap, first * 2 ** min(tries, 20))
    return ceiling * draw


def after_failure(tries: int, *, draw: float) -> timedelta:
    """Wait after a transient fault: the first time within 5 s, at most 5 min."""
    return full_jitter(tries, first=5 * SECOND, draw=draw)


def until_ready(tries: int) -> timedelta:
    """Wait for a result that is not there yet: 5 s, 15 s, 1 min, 5 min, then hourly."""
    return timedelta(seconds=_NOT_READY[min(tries, len(_NOT_READY) - 1)])


def until_photos(tries: int) -> timedelta:
    """Wait for late photos: 1, 2, 4 s in place, then 15, 30, 60 s and each minute."""
    return timedelta(seconds=_PHOTOS[min(tries, len(_PHOTOS) - 1)])


def parse_retry_after(text: str | None) -> timedelta | None:
    """Read a `Retry-After` in seconds, capped at 5 min; anything else is ignored."""
    if text is None or not (text.isascii() and text.isdigit()):
        return None
    if len(text) > len(str(LONGEST_PAUSE.seconds)):
        return LONGEST_PAUSE
    return min(LONGEST_PAUSE, timedelta(seconds=int(text)))

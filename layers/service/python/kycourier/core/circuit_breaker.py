"""The app's circuit breaker, shared by all workers: when it opens and closes."""

from datetime import datetime, timedelta
from enum import Enum, auto

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kycourier.core.timing import BREAKER_OPEN_FIRST, BREAKER_OPEN_MAX
from kycourier.core.versioned import decode_versioned

SCHEMA = 1
FAILURES_BEFORE_OPENING = 10
SLOW_CODES = {"400504"}  # "back off for minutes, not seconds" (1007/47912)
STOPPING_CODES = {"66660001", "66660002"}  # unknown app, service expired


class BreakerRecord(Struct, frozen=True, kw_only=True):
    """The breaker as it is stored.

    `failures` counts calls in a row without a response, `openings` how often it opened
    since it was last closed. `until_resumed`: only an operator closes it.
    """

    failures: int = 0
    openings: int = 0
    open_until: datetime | None = None
    until_resumed: bool = False
    version: int = 0
    schema: int = SCHEMA


def encode_breaker(breaker: BreakerRecord) -> bytes:
    """Encodes the breaker for the state store."""
    return msgspec.json.encode(breaker)


def decode_breaker(text: bytes) -> BreakerRecord:
    """Decodes a breaker. Raises NewerSchemaError, StoreUnavailableError if damaged."""
    return decode_versioned(text, BreakerRecord, schema=SCHEMA, name="breaker")


class BreakerState(Enum):
    """What the breaker allows: calls, none, or one trial call."""

    CLOSED = auto()
    OPEN = auto()
    HALF_OPEN = auto()


class Signal(Enum):
    """What one call means for the app as a whole."""

    SUCCESS = auto()
    FAILURE = auto()
    THROTTLED = auto()
    STOPPED = auto()


def state_of(breaker: BreakerRecord, *, now: datetime) -> BreakerState:
    """Returns the breaker's state at `now`."""
    if breaker.until_resumed:
        return BreakerState.OPEN
    if breaker.open_until is None:
        return BreakerState.CLOSED
    is_open = now < breaker.open_until
    return BreakerState.OPEN if is_open else BreakerState.HALF_OPEN


def after_call(
    breaker: BreakerRecord,
    signal: Signal,
    *,
    now: datetime,
    min_open: timedelta,
    draw: float,
) -> BreakerRecord:
    """Returns the breaker after one call; the same value if nothing changes.

    While it is open only the trial call closes it: a call that began before does not.

    Args:
        breaker: The breaker before.
        signal: The call's result.
        now: The store's clock.
        min_open: The shortest pause that the platform asked for (`Retry-After`).
        draw: Uniform in [0, 1), for the jitter.
    """
    if breaker.until_resumed:
        return breaker
    if signal is Signal.STOPPED:
        return _next(breaker, until_resumed=True)
    state = state_of(breaker, now=now)
    if signal is Signal.SUCCESS:
        clean = breaker.failures == 0 and state is BreakerState.CLOSED
        return breaker if clean or state is BreakerState.OPEN else _closed(breaker)
    failures = breaker.failures + (signal is Signal.FAILURE)
    if state is BreakerState.OPEN:
        return _extended(breaker, until=now + min_open)
    if (
        signal is Signal.FAILURE
        and state is BreakerState.CLOSED
        and failures < FAILURES_BEFORE_OPENING
    ):
        return _next(breaker, failures=failures)
    ceiling = min(BREAKER_OPEN_MAX, BREAKER_OPEN_FIRST * 2 ** min(breaker.openings, 10))
    pause = max(min_open, ceiling * (0.5 + draw / 2))
    return _next(
        breaker,
        failures=failures,
        openings=breaker.openings + 1,
        open_until=now + pause,
    )


def _extended(breaker: BreakerRecord, *, until: datetime) -> BreakerRecord:
    if breaker.open_until is None or until <= breaker.open_until:
        return breaker
    return _next(breaker, open_until=until)


def _closed(breaker: BreakerRecord) -> BreakerRecord:
    return BreakerRecord(version=breaker.version + 1)


def _next(breaker: BreakerRecord, **changes: object) -> BreakerRecord:
    return replace(breaker, version=breaker.version + 1, **changes)

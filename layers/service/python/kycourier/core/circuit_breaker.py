"""The app's circuit breaker, shared by all workers: when it opens and closes."""

from datetime import datetime, timedelta
from enum import Enum, auto

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kycourier.core.causes import LastProblem, Problem, count_problem
from kycourier.core.timing import BREAKER_OPEN_FIRST, BREAKER_OPEN_MAX
from kycourier.core.versioned import decode_versioned

SCHEMA = 1
FAILURES_BEFORE_OPENING = 10
SLOW_CODES = {"400504"}  # "back off for minutes, not seconds" (1007/47912)


class BreakerRecord(Struct, frozen=True, kw_only=True):
    """The app's state that all workers share.

    `failures` counts calls in a row without a response, `openings` how often it opened
    since it was last closed, `problem` is why it opened. `until_resumed`: only an
    operator closes it. `refresh_problem` is the last ticket refresh's, if it failed.
    """

    failures: int = 0
    openings: int = 0
    open_until: datetime | None = None
    until_resumed: bool = False
    problem: Problem | None = None
    refresh_problem: LastProblem | None = None
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

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Signal(Enum):
    """What one call means for the app as a whole."""

    SUCCESS = auto()
    FAILURE = auto()
    THROTTLED = auto()
    STOPPED = auto()


class CallResult(Struct, frozen=True):
    """One call's signal, its problem, and the shortest pause the platform asked for."""

    signal: Signal
    problem: Problem | None = None
    min_open: timedelta = timedelta(0)


def state_of(breaker: BreakerRecord, *, now: datetime) -> BreakerState:
    """Returns the breaker's state at `now`."""
    if breaker.until_resumed:
        return BreakerState.OPEN
    if breaker.open_until is None:
        return BreakerState.CLOSED
    is_open = now < breaker.open_until
    return BreakerState.OPEN if is_open else BreakerState.HALF_OPEN


def after_call(
    breaker: BreakerRecord, call: CallResult, *, now: datetime, draw: float
) -> BreakerRecord:
    """Returns the breaker after one call; the same value if nothing changes.

    While it is open only the trial call closes it: a call that began before does not.

    Args:
        breaker: The breaker before.
        call: The call's result.
        now: The store's clock.
        draw: Uniform in [0, 1), for the jitter.
    """
    signal = call.signal
    if breaker.until_resumed:
        return breaker
    if signal is Signal.STOPPED:
        return _next(breaker, until_resumed=True, problem=call.problem)
    state = state_of(breaker, now=now)
    if signal is Signal.SUCCESS:
        clean = breaker.failures == 0 and state is BreakerState.CLOSED
        return breaker if clean or state is BreakerState.OPEN else _closed(breaker)
    failures = breaker.failures + (signal is Signal.FAILURE)
    if state is BreakerState.OPEN:
        return _extended(breaker, until=now + call.min_open)
    if (
        signal is Signal.FAILURE
        and state is BreakerState.CLOSED
        and failures < FAILURES_BEFORE_OPENING
    ):
        return _next(breaker, failures=failures)
    ceiling = min(BREAKER_OPEN_MAX, BREAKER_OPEN_FIRST * 2 ** min(breaker.openings, 10))
    pause = max(call.min_open, ceiling * (0.5 + draw / 2))
    return _next(
        breaker,
        failures=failures,
        openings=breaker.openings + 1,
        problem=call.problem,
        open_until=now + pause,
    )


def _extended(breaker: BreakerRecord, *, until: datetime) -> BreakerRecord:
    if breaker.open_until is None or until <= breaker.open_until:
        return breaker
    return _next(breaker, open_until=until)


def _closed(breaker: BreakerRecord) -> BreakerRecord:
    return BreakerRecord(
        refresh_problem=breaker.refresh_problem, version=breaker.version + 1
    )


def after_refresh(
    breaker: BreakerRecord, problem: Problem | None, *, now: datetime
) -> BreakerRecord:
    """Returns the state after a ticket refresh; the same value if nothing changes."""
    last = breaker.refresh_problem
    if problem is None:
        return _next(breaker, refresh_problem=None) if last else breaker
    return _next(breaker, refresh_problem=count_problem(last, problem, now=now))


def _next(breaker: BreakerRecord, **changes: object) -> BreakerRecord:
    return replace(breaker, version=breaker.version + 1, **changes)

"""The app's pause: when the platform says slow down, every worker does."""

from datetime import datetime, timedelta
from enum import Enum, auto

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from kycourier.core.retry import LONGEST_PAUSE
from kycourier.core.stored import decode_stored

SCHEMA = 1
UNANSWERED_BEFORE_PAUSE = 10
FIRST_PAUSE = timedelta(seconds=5)
SLOW_CODE_PAUSE = timedelta(minutes=1)
SLOW_CODES = {"400504"}  # "back off for minutes, not seconds" (1007/47912)
STOPPING_CODES = {"66660001", "66660002"}  # unknown app, service expired


class Brake(Struct, frozen=True, kw_only=True):
    """How an app stands: `unanswered` calls in a row, and the pause if there is one."""

    unanswered: int = 0
    trips: int = 0
    paused_until: datetime | None = None
    until_resumed: bool = False
    version: int = 0
    schema: int = SCHEMA


def encode_brake(brake: Brake) -> bytes:
    """Write a brake as the state store keeps it."""
    return msgspec.json.encode(brake)


def decode_brake(text: bytes) -> Brake:
    """Read a brake; raises NewerSchema, or StoreUnavailable when it is damaged."""
    return decode_stored(text, Brake, schema=SCHEMA, name="brake")


class Phase(Enum):
    """What the brake lets a worker do."""

    RUNNING = auto()
    PAUSED = auto()
    TRIAL = auto()


class Signal(Enum):
    """What one call said about the app as a whole."""

    ANSWERED = auto()
    UNANSWERED = auto()
    THROTTLED = auto()
    STOPPED = auto()


def phase(brake: Brake, *, now: datetime) -> Phase:
    """Tell whether to go on, to pause, or to let one trial call end the pause."""
    if brake.until_resumed:
        return Phase.PAUSED
    if brake.paused_until is None:
        return Phase.RUNNING
    return Phase.PAUSED if now < brake.paused_until else Phase.TRIAL


def after(
    brake: Brake, signal: Signal, *, now: datetime, least: timedelta, draw: float
) -> Brake:
    """Give the brake after one call's signal; the same value when nothing changes.

    `least` is the shortest pause asked for (`Retry-After`). During a pause only the
    trial call's answer ends it, so the answer of a call begun before does not.
    """
    if brake.until_resumed:
        return brake
    if signal is Signal.STOPPED:
        return _next(brake, until_resumed=True)
    now_phase = phase(brake, now=now)
    if signal is Signal.ANSWERED:
        clean = brake.unanswered == 0 and now_phase is Phase.RUNNING
        return brake if clean or now_phase is Phase.PAUSED else _released(brake)
    unanswered = brake.unanswered + (signal is Signal.UNANSWERED)
    if now_phase is Phase.PAUSED:
        return _longer(brake, until=now + least)
    if (
        signal is Signal.UNANSWERED
        and now_phase is Phase.RUNNING
        and unanswered < UNANSWERED_BEFORE_PAUSE
    ):
        return _next(brake, unanswered=unanswered)
    ceiling = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(brake.trips, 10))
    pause = max(least, ceiling * (0.5 + draw / 2))
    return _next(
        brake, unanswered=unanswered, trips=brake.trips + 1, paused_until=now + pause
    )


def _longer(brake: Brake, *, until: datetime) -> Brake:
    if brake.paused_until is None or until <= brake.paused_until:
        return brake
    return _next(brake, paused_until=until)


def _released(brake: Brake) -> Brake:
    return Brake(version=brake.version + 1)


def _next(brake: Brake, **changes: object) -> Brake:
    return replace(brake, version=brake.version + 1, **changes)

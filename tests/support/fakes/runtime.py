"""Fake clock, randomness, event log and KYC transport."""

import random
import string
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from kycourier.core.errors import KycourierError
from kycourier.core.wire.messages import KycRequest, KycResponse
from kycourier.logs import FIELDS, LOG_EVENTS

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class FakeClock:
    """A wall and a monotonic clock; `sleep` advances both, `set` the wall clock."""

    def __init__(self, now: datetime = START) -> None:
        self._now, self._monotonic = now, 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set(self, now: datetime) -> None:
        """Set the wall clock, forward or back; the monotonic clock keeps its time."""
        self._now = now


class FakeRandom:
    """Pseudo-random values that repeat for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def nonce(self) -> str:
        letters = string.ascii_letters + string.digits
        return "".join(self._random.choices(letters, k=32))

    def draw(self) -> float:
        return self._random.random()


class MemoryEventLog:
    """Keeps entries as (event, fields); rejects unknown events and fields."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, dict[str, str | float | None]]] = []

    def emit(self, event: str, **fields: str | float | None) -> None:
        if event not in LOG_EVENTS or not fields.keys() <= FIELDS:
            raise KeyError(event)
        self.entries.append((event, fields))

    def names(self) -> list[str]:
        """Return the event names in order."""
        return [name for name, _ in self.entries]


class ScriptedTransport:
    """Calls a function from request to reply; raises a returned error."""

    def __init__(
        self, respond: Callable[[KycRequest], KycResponse | KycourierError]
    ) -> None:
        self._respond = respond
        self.requests: list[KycRequest] = []

    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycResponse:  # noqa: ARG002 - the port's signature
        self.requests.append(request)
        reply = self._respond(request)
        if isinstance(reply, KycourierError):
            raise reply
        return reply

"""What a worker has about it: clock, randomness, journal and the way upstream."""

import random
import string
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from kycourier.core.errors import KycourierError
from kycourier.core.models import KycReply, KycRequest
from kycourier.logs import FACTS, FIELDS

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


class FakeClock:
    """Two clocks that only a test moves: `sleep` advances both, `set` the wall's."""

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
        """Set the wall clock, forward or back; the monotonic one does not notice."""
        self._now = now


class FakeNonces:
    """The same randomness for the same seed."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def nonce(self) -> str:
        letters = string.ascii_letters + string.digits
        return "".join(self._random.choices(letters, k=32))

    def draw(self) -> float:
        return self._random.random()


class MemoryJournal:
    """Keeps facts as (fact, fields), and refuses what the real one refuses."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, dict[str, str | float | None]]] = []

    def note(self, fact: str, **fields: str | float | None) -> None:
        if fact not in FACTS or not fields.keys() <= FIELDS:
            raise KeyError(fact)
        self.notes.append((fact, fields))

    def facts(self) -> list[str]:
        """Name the facts in order."""
        return [fact for fact, _ in self.notes]


class ScriptedTransport:
    """A transport that is a function from request to reply, or to the error raised."""

    def __init__(
        self, answer: Callable[[KycRequest], KycReply | KycourierError]
    ) -> None:
        self._answer = answer
        self.requests: list[KycRequest] = []

    def send(self, request: KycRequest, *, timeout_seconds: float) -> KycReply:  # noqa: ARG002 - takes no time
        self.requests.append(request)
        answer = self._answer(request)
        if isinstance(answer, KycourierError):
            raise answer
        return answer

"""In-memory evidence store, event sink and work queue."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import BinaryIO, NamedTuple

from kycourier.core.errors import EvidenceConflictError, EvidenceUnavailableError
from kycourier.core.orders.order_request import build_reminder
from kycourier.core.orders.record import OrderKey, OutboxEvent
from kycourier.ports import Clock


class MemoryEvidenceStore:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.objects: dict[str, bytes] = {}
        self.durable: set[str] = set()
        self._pending: dict[str, set[str]] = {}

    def put(
        self,
        key: str,
        content: bytes,
        *,
        sha256: str,
        media_type: str,  # noqa: ARG002 - the port's signature
        more: bool = False,
    ) -> None:
        if hashlib.sha256(content).hexdigest() != sha256:
            raise EvidenceUnavailableError("damaged on the way")
        if self.objects.setdefault(key, bytes(content)) != content:
            raise EvidenceConflictError
        folder = key.rpartition("/")[0]
        self._pending.setdefault(folder, set()).add(key)
        if not more:
            self.durable |= self._pending.pop(folder)

    def digest(self, key: str) -> str | None:
        content = self.objects.get(key)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def open(self, key: str) -> BinaryIO:
        if key not in self.objects:
            raise EvidenceUnavailableError("no such object")
        return io.BytesIO(self.objects[key])

    def list(self, folder: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(f"{folder}/")))

    def link(self, key: str, *, seconds: int) -> str:
        expires = int(self._clock.now().timestamp()) + seconds
        return f"memory:///{key}?expires={expires}"


class MemoryEventSink:
    def __init__(self) -> None:
        self.events: list[OutboxEvent] = []

    def publish(self, events: Sequence[OutboxEvent]) -> None:
        self.events += events

    def publish_within(self, events: Sequence[OutboxEvent], *, seconds: float) -> None:
        """Publish as a webhook is; `seconds` are plenty."""
        assert seconds > 0
        self.publish(events)


class Delivery(NamedTuple):
    """One delivery of a message; `receives` counts deliveries including this one."""

    number: int
    receives: int
    body: str


class MemoryWorkQueue:
    def __init__(self, clock: Clock) -> None:
        self._clock, self._sent = clock, 0
        self._messages: dict[int, tuple[datetime, Delivery]] = {}

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        self._sent += 1
        body = build_reminder(order)
        delivery = Delivery(self._sent, 0, body)
        self._messages[self._sent] = (self._clock.now() + delay, delivery)

    def receive(self, limit: int, *, visibility_seconds: float) -> tuple[Delivery, ...]:
        now = self._clock.now()
        visible = sorted(m for m in self._messages.values() if m[0] <= now)[:limit]
        hidden_until = now + timedelta(seconds=visibility_seconds)
        taken = [d._replace(receives=d.receives + 1) for _, d in visible]
        self._messages |= {d.number: (hidden_until, d) for d in taken}
        return tuple(taken)

    def acknowledge(self, message: Delivery) -> None:
        if self._messages.get(message.number, (None, None))[1] == message:
            del self._messages[message.number]

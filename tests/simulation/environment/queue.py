"""A queue that behaves like SQS: at least once, unordered, with a dead-letter queue."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from kycourier.core.orders.order_request import build_reminder
from kycourier.core.orders.record import OrderKey
from simulation.engine.scheduler import Scheduler

MAX_RECEIVES = 5
VISIBILITY_SECONDS = 360.0
MAX_DELAY_SECONDS = 900.0


@dataclass
class Message:
    id: str
    body: str
    visible_at: float
    receives: int = 0


class SimulatedQueue:
    """Delivers messages until they are deleted, or were received too often."""

    def __init__(self, scheduler: Scheduler, *, rng: Random) -> None:
        self._scheduler, self._rng = scheduler, rng
        self._sent = 0
        self._delivered: set[str] = set()
        self.messages: dict[str, Message] = {}
        self.bodies: list[str] = []
        self.dead_letters: list[Message] = []
        self.discarded: list[Message] = []
        self.visibility_seconds = VISIBILITY_SECONDS
        self.is_unprocessable: Callable[[str], bool] = lambda _: False
        self.on_visible: Callable[[], None] = lambda: None
        self.on_unprocessable: list[Callable[[], None]] = []
        self.on_redelivered: list[Callable[[], None]] = []

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        """Send a reminder as the `WorkQueue` port does, at most 15 min ahead."""
        seconds = max(0.0, delay.total_seconds())
        if seconds <= MAX_DELAY_SECONDS:
            self.send(build_reminder(order), seconds)

    def send(self, body: str, delay: float = 0.0, *, same_id: str | None = None) -> str:
        """Send a message, as a copy of another if `same_id` is given."""
        self._sent += 1
        message_id = same_id or f"m{self._sent}"
        self.bodies.append(body)
        visible_at = self._scheduler.now + delay
        self.messages[f"{message_id}/{self._sent}"] = Message(
            message_id, body, visible_at
        )
        self._scheduler.at(visible_at, self._notify)
        return message_id

    def receive(self, limit: int) -> list[tuple[str, Message]]:
        """Receive visible messages in random order; returns them with their handles."""
        now = self._scheduler.now
        visible = [h for h, each in self.messages.items() if each.visible_at <= now]
        self._rng.shuffle(visible)
        batch = []
        for handle in visible:
            message = self.messages[handle]
            if message.receives >= MAX_RECEIVES:
                self.dead_letters.append(self.messages.pop(handle))
            elif len(batch) < limit:
                message.receives += 1
                message.visible_at = now + self.visibility_seconds
                self._scheduler.at(message.visible_at, self._notify)
                batch.append((handle, message))
                self._report_delivery(message)
        return batch

    def delete(self, handle: str) -> None:
        self.messages.pop(handle, None)

    def redrive(self) -> int:
        """Send dead letters again, except unprocessable ones; returns their number."""
        dead_letters, self.dead_letters = self.dead_letters, []
        for message in dead_letters:
            if self.is_unprocessable(message.id):
                self.discarded.append(message)
            else:
                self.send(message.body)
        return len(dead_letters)

    def _notify(self) -> None:
        self.on_visible()

    def _report_delivery(self, message: Message) -> None:
        hooks = [*self.on_unprocessable] if self.is_unprocessable(message.id) else []
        if message.body in self._delivered:
            hooks += self.on_redelivered
        self._delivered.add(message.body)
        for hook in hooks:
            hook()

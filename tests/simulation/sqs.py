"""A queue as SQS keeps it: at least once, in any order, with dead letters."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from kycourier.core.message import build_reminder
from kycourier.core.models import Document, OrderKey
from simulation.clockwork import Clockwork

MOST_RECEIVES = 5
VISIBILITY_SECONDS = 360.0
LONGEST_DELAY_SECONDS = 900.0


@dataclass
class Message:
    id: str
    body: str
    visible_at: float
    receives: int = 0


class SimulatedQueue:
    """Messages wait, are taken, come back; `dead` are what came back too often."""

    def __init__(self, clockwork: Clockwork, *, dice: Random) -> None:
        self._clockwork, self._dice = clockwork, dice
        self._sent = 0
        self.messages: dict[str, Message] = {}
        self.dead: list[Message] = []
        self.buried: list[Message] = []
        self.is_poison: Callable[[str], bool] = lambda _: False
        self.on_poison: list[Callable[[], None]] = []
        self.on_delivered_again: list[Callable[[], None]] = []
        self._delivered: set[str] = set()
        self.bodies: list[str] = []
        self.wake = lambda: None
        self.visibility_seconds = VISIBILITY_SECONDS

    def enqueue(self, order: OrderKey, delay: timedelta) -> None:
        """Send our own reminder, as the `WorkQueue` port; 15 min ahead at most."""
        seconds = max(0.0, delay.total_seconds())
        if seconds <= LONGEST_DELAY_SECONDS:
            self.send(build_reminder(order, Document.BANK_CARD), seconds)

    def send(self, body: str, delay: float = 0.0, *, same_id: str | None = None) -> str:
        self._sent += 1
        number = same_id or f"m{self._sent}"
        self.bodies.append(body)
        visible_at = self._clockwork.now + delay
        self.messages[f"{number}/{self._sent}"] = Message(number, body, visible_at)
        self._clockwork.at(visible_at, self.wake_up)
        return number

    def wake_up(self) -> None:
        self.wake()

    def receive(self, most: int) -> list[tuple[str, Message]]:
        """Take some of what is visible, in no order; put aside what came too often."""
        now = self._clockwork.now
        visible = [h for h, each in self.messages.items() if each.visible_at <= now]
        self._dice.shuffle(visible)
        taken = []
        for handle in visible:
            message = self.messages[handle]
            if message.receives >= MOST_RECEIVES:
                self.dead.append(self.messages.pop(handle))
            elif len(taken) < most:
                message.receives += 1
                message.visible_at = now + self.visibility_seconds
                self._clockwork.at(message.visible_at, self.wake_up)
                taken.append((handle, message))
                self._tell(message)
        return taken

    def delete(self, handle: str) -> None:
        self.messages.pop(handle, None)

    def redrive(self) -> int:
        """Send every dead letter again, as an operator does; tell how many."""
        dead, self.dead = self.dead, []
        for message in dead:
            if self.is_poison(message.id):
                self.buried.append(message)
            else:
                self.send(message.body)
        return len(dead)

    def _tell(self, message: Message) -> None:
        tells = [*self.on_poison] if self.is_poison(message.id) else []
        if message.body in self._delivered:
            tells += self.on_delivered_again
        self._delivered.add(message.body)
        for tell in tells:
            tell()

"""What comes in a run: how many orders, when, by which way, and how they may end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from simulation.platform import Platform, Scan

if TYPE_CHECKING:
    from simulation.world import RunWorld

NUMBERS = ("4111111111111111", "5555555555554444", "6225881234567890123")


@dataclass
class Plan:
    """A fault may shape it before the run begins."""

    orders: int
    seed: int = 0
    is_alone: bool = False
    duplicates: int = 0
    arrival_from: float = 0.0
    arrival_seconds: float = 60.0
    calm_at: float = 130.0
    first_refresh: float = 10.0
    collectors: int = 3
    batch: int = 10
    collect_limit: float | None = None
    ways: tuple[str, ...] = ("queue", "queue", "queue", "api", "register")
    poison: list[str] = field(default_factory=list)
    new_ids: bool = False
    copies_come_at_once: bool = False
    api_besides: bool = False
    is_ckafka: bool = False
    has_reminders: bool = True
    visibility_seconds: float = 360.0
    waits_for_dead_letters: bool = False
    never_ready: bool = False
    reopens: bool = False
    may_park: bool = False
    any_token_count: bool = False
    scans: list[Scan] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    poison_ids: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    at_calm: list[Callable[[], None]] = field(default_factory=list)

    def add_scans(self, platform: Platform, dice: Random) -> None:
        """Have the cards scanned that the orders are about."""
        for number in range(self.orders):
            order_no = f"order{number}x{dice.getrandbits(24):06x}"
            scan = Scan(order_no, dice.choice(NUMBERS), is_alone=self.is_alone)
            platform.scans[order_no] = scan
            self.scans.append(scan)

    def lasts_until(self, moment: float) -> None:
        """Keep the faults on until then at least."""
        self.calm_at = max(self.calm_at, moment)

    def note_returned(self, ids: set[str], world: "RunWorld") -> None:
        """Keep which messages came back, and hold them to what was said of them."""
        self.returned |= ids
        told = {
            fields.get("source")
            for fact, fields in world.journal.notes
            if fact in {"record_returned", "message_unusable"}
        }
        for each in ids - told:
            world.verdict.violate("I10", f"{each} was returned, and nothing said why")

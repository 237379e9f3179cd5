"""The plan of a run: which orders arrive, when and how, and how long faults last."""

from dataclasses import dataclass, field
from random import Random

from simulation.environment.platform import (
    ID_NUMBERS,
    CardScan,
    SimulatedPlatform,
)

CARD_NUMBERS = ("4111111111111111", "5555555555554444", "6225881234567890123")


@dataclass
class Plan:
    """A fault may change it before the run begins; times are in virtual seconds."""

    orders: int
    seed: int = 0
    is_single_fault: bool = False
    duplicates: int = 0
    arrival_from: float = 0.0
    arrival_seconds: float = 60.0
    faults_end_at: float = 130.0
    first_refresh: float = 10.0
    collectors: int = 3
    batch: int = 10
    collect_limit: float | None = None
    channels: tuple[str, ...] = ("queue", "queue", "queue", "api", "register")
    unprocessable: list[str] = field(default_factory=list)
    new_ids: bool = False
    copies_at_once: bool = False
    also_by_api: bool = False
    is_ckafka: bool = False
    has_reminders: bool = True
    visibility_seconds: float = 360.0
    waits_for_dead_letters: bool = False
    never_ready: bool = False
    reopens: bool = False
    may_park: bool = False
    scans: list[CardScan] = field(default_factory=list)
    companions: list[CardScan] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    unprocessable_ids: set[str] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)

    def add_scans(self, platform: SimulatedPlatform, rng: Random) -> None:
        """Create on the platform the card scans of all orders."""
        for number in range(self.orders):
            order_no = f"order{number}x{rng.getrandbits(24):06x}"
            scan = CardScan(
                order_no, rng.choice(CARD_NUMBERS), is_single_fault=self.is_single_fault
            )
            platform.scans[order_no] = scan
            self.scans.append(scan)
        if not self.is_single_fault:
            self._add_companions(platform, rng)

    @property
    def all_scans(self) -> list[CardScan]:
        """The card scans, and those of other documents."""
        return self.scans + self.companions

    def _add_companions(self, platform: SimulatedPlatform, rng: Random) -> None:
        """Create an ID card and a face, collected amid the same faults."""
        for document in ("id_card", "face"):
            scan = CardScan(
                f"{document.replace('_', '')}{rng.getrandbits(24):06x}",
                rng.choice(ID_NUMBERS),
                document=document,
                ready_at=rng.choice((0.0, 0.0, 2.0, 30.0)),
            )
            if document == "face" and rng.random() < 0.5:
                scan.expect_end("rejected")
            platform.scans[scan.order_no] = scan
            self.companions.append(scan)

    def extend_faults_to(self, time: float) -> None:
        """Keep the faults active until then at least."""
        self.faults_end_at = max(self.faults_end_at, time)

"""One run's world: what its machines share, and what is known of it afterwards."""

from collections import Counter
from collections.abc import Callable
from random import Random

from fakes import MemoryJournal
from simulation.clockwork import Clockwork, Machine, StoreClock
from simulation.gate import Gate, Rule
from simulation.judge import Judge
from simulation.judge_brake import BrakeJudge
from simulation.judge_orders import OrdersJudge
from simulation.judge_tickets import TicketsJudge
from simulation.platform import Platform
from simulation.sqs import SimulatedQueue
from simulation.stores import Stores
from simulation.verdict import Verdict
from worlds import APP, SecretInMemory

ENVIRON = {
    "KYCOURIER_APP_ID": APP,
    "KYCOURIER_APP_SECRET": "env:SYNTHETIC_SECRET",
    "KYCOURIER_STATE": "dynamodb://synthetic",
    "KYCOURIER_EVIDENCE": "s3://synthetic",
    "KYCOURIER_EVENTS": "eventbridge://synthetic",
    "KYCOURIER_FINGERPRINT_KEY": "env:SYNTHETIC_KEY",
}


class Journal:
    """Keeps facts as `MemoryJournal` does, and counts them."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._kept, self._tell = MemoryJournal(), tell

    def note(self, fact: str, **fields: str | float | None) -> None:
        self._kept.note(fact, **fields)
        self._tell(fact)

    def begin(self, request_id: str | None) -> None:
        """Do without: a run's invocations have no names."""

    def flush(self) -> None:
        """Write the metrics: here they are the facts."""

    @property
    def notes(self) -> list[tuple[str, dict[str, str | float | None]]]:
        return self._kept.notes


class RunWorld:
    """Everything outside of the machines, made from one seed."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)  # noqa: S311 - repeatable on purpose
        self.clockwork = Clockwork()
        self.stores = Stores(StoreClock(self.clockwork))
        salt = f"{self.dice.getrandbits(64):016x}"
        self.secret = SecretInMemory(f"secret{salt}")
        self.platform = Platform(self.clockwork, secret=self.secret.value, salt=salt)
        self.verdict = Verdict(self.clockwork)
        self.judge = Judge(
            self.verdict,
            orders=OrdersJudge(self.verdict, self.stores),
            tickets=TicketsJudge(
                self.verdict, clockwork=self.clockwork, platform=self.platform
            ),
            brake=BrakeJudge(self.verdict, self.stores),
            stores=self.stores,
        )
        self.met: Counter[str] = Counter()
        self.gate = Gate(self.clockwork, self._die(), self.judge, self.meet)
        self.queue = SimulatedQueue(self.clockwork, dice=self._die())
        self.journal = Journal(self._hear)
        self.environ = dict(ENVIRON)
        self.ttl_seconds = 172_800.0
        self.sinks: list[str] = []
        self.told: set[str] = set()
        self.tokens_at: list[int] = []
        self.planted: set[str] = set()
        self.slowest_call = 0.4
        self.start_problems: list[str] = []
        self.on_new_machine: list[Callable[[Machine], None]] = []

    def meet(self, fault: str) -> None:
        """Count that a fault happened."""
        self.met[fault] += 1

    def add(self, rule: Rule) -> None:
        self.gate.rules.append(rule)

    def _hear(self, fact: str) -> None:
        self.verdict.see(fact)
        self.gate.trace.append(f"{self.clockwork.now:.6f} ! {fact}")

    def _die(self) -> Random:
        return Random(self.dice.getrandbits(32))  # noqa: S311 - repeatable on purpose

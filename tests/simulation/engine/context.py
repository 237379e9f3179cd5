"""What one run shares: the environment, its faults, its invariants and its trace."""

import fnmatch
from collections import Counter
from collections.abc import Callable
from random import Random

from simulation.engine.scheduler import Scheduler
from simulation.environment.interceptor import CallInterceptor, FaultRule
from simulation.environment.machine import Machine, StoreClock
from simulation.environment.platform import SimulatedPlatform
from simulation.environment.queue import SimulatedQueue
from simulation.environment.stores import Stores
from simulation.environment.transport import KYC_CALLS
from simulation.invariants.checker import CHECKED_CALLS, InvariantChecker
from simulation.invariants.findings import Findings
from support.fakes import MemoryEventLog
from support.rigs.in_memory import APP, MutableSecret

ENVIRON = {
    "KYCOURIER_APP_ID": APP,
    "KYCOURIER_APP_SECRET": "env:SYNTHETIC_SECRET",
    "KYCOURIER_STATE": "dynamodb://synthetic",
    "KYCOURIER_EVIDENCE": "s3://synthetic",
    "KYCOURIER_EVENTS": "eventbridge://synthetic",
    "KYCOURIER_FINGERPRINT_KEY": "env:SYNTHETIC_KEY",
}


class TracedEventLog:
    """A `MemoryEventLog` that passes the name of each log event on."""

    def __init__(self, on_event: Callable[[str], None]) -> None:
        self._event_log, self._on_event = MemoryEventLog(), on_event

    def emit(self, event: str, **fields: str | float | None) -> None:
        self._event_log.emit(event, **fields)
        self._on_event(event)

    def begin(self, request_id: str | None) -> None:
        """Ignore the request id: a simulated invocation has none."""

    def flush(self) -> None:
        """Do nothing: there are no metrics."""

    @property
    def entries(self) -> list[tuple[str, dict[str, str | float | None]]]:
        return self._event_log.entries


class RunContext:
    """The state of one run outside of its machines, built from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)  # noqa: S311 - repeatable on purpose
        self.is_sealing = seed % 2 == 1
        self.has_webhook = seed // 2 % 2 == 1
        self.scheduler = Scheduler()
        self.stores = Stores(StoreClock(self.scheduler))
        salt = f"{self.rng.getrandbits(64):016x}"
        self.secret = MutableSecret(f"secret{salt}")
        self.platform = SimulatedPlatform(
            self.scheduler, secret=self.secret.value, salt=salt
        )
        self.findings = Findings(self.scheduler)
        self.checker = InvariantChecker(self.findings, self.stores, self.platform)
        self.injected: Counter[str] = Counter()
        self.interceptor = CallInterceptor(
            self.scheduler, self._new_rng(), self.checker, self.count_injection
        )
        self.queue = SimulatedQueue(self.scheduler, rng=self._new_rng())
        self.call_names = {*KYC_CALLS, *self.stores.call_names()}
        self.call_names |= {"queue.enqueue", "secret.get"}
        assert self.call_names >= CHECKED_CALLS
        self.event_log = TracedEventLog(self._trace_event)
        self.environ = dict(ENVIRON)
        self.ttl_seconds = 172_800.0
        self.max_call_seconds = 0.4
        self.responses: list[str] = []
        self.start_problems: list[str] = []
        self.on_new_machine: list[Callable[[Machine], None]] = []
        self.injected_values: set[str] = set()
        self.token_counts: list[int] = []

    def count_injection(self, fault: str) -> None:
        """Count that a fault was injected."""
        self.injected[fault] += 1

    def add_rule(self, rule: FaultRule) -> None:
        """Add a rule. Raises LookupError if no port has a call that it names."""
        if not fnmatch.filter(self.call_names, rule.calls):
            raise LookupError(rule.calls)
        self.interceptor.rules.append(rule)

    def log_events(self, name: str) -> list[dict[str, str | float | None]]:
        """Return the fields of each log event of that name."""
        return [fields for event, fields in self.event_log.entries if event == name]

    def _trace_event(self, name: str) -> None:
        self.findings.observe(name)
        self.interceptor.trace.append(f"{self.scheduler.now:.6f} ! {name}")

    def _new_rng(self) -> Random:
        return Random(self.rng.getrandbits(32))  # noqa: S311 - repeatable on purpose

"""Checks that no worker sends a query while the circuit breaker is open: I8."""

from kycourier.core.circuit_breaker import BreakerState, state_of
from simulation.environment.interceptor import PortCall
from simulation.environment.stores import Stores
from simulation.invariants.findings import Findings
from support.rigs.in_memory import APP

# Collections in progress go on: 2 s to read the breaker, 5 s for a ticket, then calls.
IN_PROGRESS_SECONDS = 12.0


class CircuitBreakerInvariants:
    """Records since when the circuit breaker is open."""

    def __init__(self, findings: Findings, stores: Stores) -> None:
        self._findings, self._stores = findings, stores
        self._open_since: float | None = None

    def record_change(self) -> None:
        """Record when the circuit breaker opened."""
        if not self._is_open():
            self._open_since = None
        elif self._open_since is None:
            self._open_since = self._now()

    def check_query(self, call: PortCall) -> None:
        """Check a query that is about to be sent."""
        if not self._is_open():
            self._open_since = None
            return
        assert self._open_since is not None
        is_late = self._now() - self._open_since > IN_PROGRESS_SECONDS
        was_frozen = (
            call.machine.last_frozen_at >= self._open_since - IN_PROGRESS_SECONDS
        )
        if is_late and not was_frozen:
            message = f"{call.machine.name} sends a query, the circuit breaker is open"
            self._findings.report("I8", message)

    def _is_open(self) -> bool:
        breaker = self._stores.breakers.get(APP)
        return state_of(breaker, now=self._stores.clock.now()) is BreakerState.OPEN

    def _now(self) -> float:
        return self._stores.clock.seconds()

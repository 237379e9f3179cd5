"""Checks leases, saved ticket pairs and signed queries: I6, I7, I8 and I11."""

from collections import Counter, defaultdict
from typing import cast

from kycourier.core.leases import Lease
from kycourier.core.orders.record import OrderKey
from kycourier.core.tickets.pair import TicketPair
from simulation.environment.interceptor import PortCall
from simulation.environment.machine import StoreClock
from simulation.environment.platform import (
    COEXISTENCE_SECONDS,
    SignedQuery,
    SimulatedPlatform,
)
from simulation.invariants.findings import Findings

QUERIES_PER_CLAIM = 5  # one, one with a renewed ticket, three for late photos
FORCED_SECONDS = 59.9  # a minute, less the duration of a call
FROZEN_SECONDS = 600.0  # a frozen attempt is over by then


class TicketInvariants:
    """Records the highest fence of each lease, and the queries of each claim."""

    def __init__(
        self, findings: Findings, clock: StoreClock, platform: SimulatedPlatform
    ) -> None:
        self._findings, self._clock, self._platform = findings, clock, platform
        self._fences: dict[str, int] = defaultdict(int)
        self._queries: Counter[tuple[OrderKey, int]] = Counter()
        self._failed_reads: dict[str, float] = {}
        self._checked_count = 0
        self._forced_at: float | None = None
        self.max_queries = QUERIES_PER_CLAIM
        self.allows_superseded_pairs = False

    def record_failed_read(self, call: PortCall) -> None:
        """Record that a machine could not read the store."""
        self._failed_reads[call.machine.name] = self._clock.seconds()

    def check_lease(self, call: PortCall, lease: Lease | None) -> None:
        """Check a lease, if it was acquired."""
        name = cast("str", call.args[0])
        if lease is None:
            return
        if lease.fence < self._fences[name]:
            self._findings.report("I11", f"{name}: a fence went back")
        self._fences[name] = lease.fence
        if name.startswith("trial/"):
            self._findings.observe("half-open call")
        if name.startswith("forced/"):
            self._check_forced()

    def check_save(self, call: PortCall) -> None:
        """Check a saved pair."""
        app_id, pair = cast("str", call.args[0]), cast("TicketPair", call.args[1])
        lease = cast("Lease", call.named["lease"])
        if lease.fence != self._fences[f"refresh/{app_id}"]:
            self._findings.report(
                "I11", f"{call.machine.name} saved with a stale fence"
            )
        issued = [p for p in self._platform.pairs if p.token == pair.token.expose()]
        if not issued or issued[0].ticket != pair.ticket.expose():
            self._findings.report("I6", "token and ticket of two generations")
            return
        issued[0].is_saved = True

    def check_overlaps(self) -> None:
        """Check that no two running machines refresh at once."""
        for one, other in self._platform.overlaps:
            message = f"{one.name} and {other.name} refresh at once"
            self._findings.report("I6", message)

    def check_queries(
        self, claims: dict[tuple[str, str], tuple[OrderKey, int]]
    ) -> None:
        """Check the queries that completed since the last check."""
        for query in self._platform.queries[self._checked_count :]:
            self._check_pair(query)
            claim = claims.get((query.machine.name, query.order_no))
            if claim is None:
                self._findings.report(
                    "I8", f"{query.order_no}: queried without a claim"
                )
                continue
            self._queries[claim] += 1
            if self._queries[claim] > self.max_queries:
                message = f"{query.order_no}: queried too often in one attempt"
                self._findings.report("I8", message)
        self._checked_count = len(self._platform.queries)

    def _check_forced(self) -> None:
        now, last = self._clock.seconds(), self._forced_at
        if last is not None and now - last < FORCED_SECONDS:
            self._findings.report("I6", "two forced refreshes within a minute")
        self._forced_at = now
        self._findings.observe("forced refresh")

    def _check_pair(self, query: SignedQuery) -> None:
        if query.accepted and query.superseded_seconds > 0:
            self._findings.observe("superseded pair used within the minute")
        if query.superseded_seconds > COEXISTENCE_SECONDS and not self._is_allowed(
            query
        ):
            age = f"{query.superseded_seconds:.0f} s"
            message = f"{query.machine.name} signed with a pair superseded for {age}"
            self._findings.report("I7", message)

    def _is_allowed(self, query: SignedQuery) -> bool:
        """Return whether the machine could not know the newer pair."""
        now, frozen_at = self._clock.seconds(), query.machine.last_frozen_at
        if self.allows_superseded_pairs or (
            frozen_at >= 0 and now - frozen_at < FROZEN_SECONDS
        ):
            return True
        assert query.pair is not None
        newer = self._platform.pairs[query.pair.generation :]
        saved = [pair.issued_at for pair in newer if pair.is_saved]
        if not saved or now - saved[0] <= COEXISTENCE_SECONDS:
            self._findings.observe("issued pair lost")
            return True
        if self._failed_reads.get(query.machine.name, -1.0) > saved[0]:
            self._findings.observe("cached pair used while the store was down")
            return True
        return False

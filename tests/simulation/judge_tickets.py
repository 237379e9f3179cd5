"""Judges leases, saved pairs and signed queries: I6, I7, I8 and I11."""

from collections import Counter, defaultdict
from typing import cast

from kycourier.core.models import Lease, OrderKey
from kycourier.core.ticket import TicketPair
from simulation.clockwork import Clockwork
from simulation.gate import Call
from simulation.platform import COEXISTENCE_SECONDS, Platform, Signed
from simulation.verdict import Verdict

QUERIES_A_CLAIM = 5  # one, one more with a renewed ticket, three for late photos
FORCED_SECONDS = 59.9  # a minute, less a call's way
FROZEN_SECONDS = 600.0  # an attempt that froze is over by then


class TicketsJudge:
    """Knows the highest fence of each lease, and what each claim has asked."""

    def __init__(
        self, verdict: Verdict, *, clockwork: Clockwork, platform: Platform
    ) -> None:
        self._verdict, self._clockwork = verdict, clockwork
        self._platform = platform
        self._fences: dict[str, int] = defaultdict(int)
        self._queries: Counter[tuple[OrderKey, int]] = Counter()
        self._failed_loads: dict[str, float] = {}
        self._judged = 0
        self._forced_at: float | None = None
        self.most_queries = QUERIES_A_CLAIM
        self.excuses_late_pairs = False

    def note_failed_load(self, call: Call) -> None:
        """Keep that a machine could not read the store."""
        self._failed_loads[call.machine.name] = self._clockwork.now

    def judge_lease(self, call: Call, lease: Lease | None) -> None:
        """Judge a lease that was given, if one was."""
        name = cast("str", call.args[0])
        if lease is None:
            return
        if lease.fence < self._fences[name]:
            self._verdict.violate("I11", f"{name}: a fence went back")
        self._fences[name] = lease.fence
        if name.startswith("trial/"):
            self._verdict.see("trial call")
        if name.startswith("forced/"):
            self._judge_forced()

    def judge_save(self, call: Call) -> None:
        """Judge a pair that was saved."""
        app_id, pair = cast("str", call.args[0]), cast("TicketPair", call.args[1])
        lease = cast("Lease", call.named["lease"])
        if lease.fence != self._fences[f"refresh/{app_id}"]:
            self._verdict.violate("I11", f"{call.machine.name} saved with an old fence")
        bought = [p for p in self._platform.pairs if p.token == pair.token.reveal()]
        if not bought or bought[0].ticket != pair.ticket.reveal():
            self._verdict.violate("I6", "token and ticket of two generations")
            return
        bought[0].is_saved = True

    def judge_overlaps(self) -> None:
        """Judge whether two who run have refreshed at once."""
        for one, other in self._platform.overlaps:
            told = f"{one.name} and {other.name} refresh at once"
            self._verdict.violate("I6", told)

    def judge_queries(
        self, claims: dict[tuple[str, str], tuple[OrderKey, int]]
    ) -> None:
        """Judge the queries that the platform answered since the last time."""
        for query in self._platform.signed[self._judged :]:
            self._judge_pair(query)
            claim = claims.get((query.machine.name, query.order_no))
            if claim is None:
                self._verdict.violate("I8", f"{query.order_no}: asked without a claim")
                continue
            self._queries[claim] += 1
            if self._queries[claim] > self.most_queries:
                told = f"{query.order_no}: asked too often in one attempt"
                self._verdict.violate("I8", told)
        self._judged = len(self._platform.signed)

    def _judge_forced(self) -> None:
        now, last = self._clockwork.now, self._forced_at
        if last is not None and now - last < FORCED_SECONDS:
            self._verdict.violate("I6", "two forced refreshes within a minute")
        self._forced_at = now
        self._verdict.see("forced refresh")

    def _judge_pair(self, query: Signed) -> None:
        if query.accepted and query.superseded_for > 0:
            self._verdict.see("old pair used inside the minute")
        if query.superseded_for > COEXISTENCE_SECONDS and not self._is_excused(query):
            late = f"{query.superseded_for:.0f} s"
            told = f"{query.machine.name} signed with a pair superseded for {late}"
            self._verdict.violate("I7", told)

    def _is_excused(self, query: Signed) -> bool:
        """Tell whether it could not know: swapped by others, lost, or it froze."""
        now, froze_at = self._clockwork.now, query.machine.froze_last_at
        if self.excuses_late_pairs or (
            froze_at >= 0 and now - froze_at < FROZEN_SECONDS
        ):
            return True
        assert query.pair is not None
        newer = self._platform.pairs[query.pair.generation :]
        saved = [pair.issued_at for pair in newer if pair.is_saved]
        if not saved or now - saved[0] <= COEXISTENCE_SECONDS:
            self._verdict.see("a bought pair was lost")
            return True
        if self._failed_loads.get(query.machine.name, -1.0) > saved[0]:
            self._verdict.see("a copy served while the store was down")
            return True
        return False

"""Timer events: nothing in them matters but that they came."""

import msgspec

from kycourier.core.errors import TicketUnavailable
from kycourier.core.ticket import freshness
from kycourier.ports import Ambient, State
from kycourier.usecases.refresh_ticket import TicketRefresher, Why
from kycourier.usecases.sweep_orders import SweepOrders
from kycourier.usecases.time_left import TimeLeft

Answer = dict[str, object]


class RefreshTimer:
    """Refreshes the pair when it is stale; without a refresher it has nothing to do."""

    def __init__(
        self,
        app_id: str,
        *,
        refresher: TicketRefresher | None,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._refresher = app_id, refresher
        self._tickets, self._orders = state.tickets, state.orders
        self._journal = ambient.journal

    def answer(self, time_left: TimeLeft) -> Answer:
        """Refresh if due; say what stands then. Raises StoreUnavailable, NewerSchema.

        A failed refresh is counted, not raised: the pair before it serves on.
        """
        if self._refresher is None:
            return {"ticket": "kept elsewhere"}
        problem = None
        try:
            pair = self._refresher.refresh(None, time_left, why=Why.SCHEDULED)
        except TicketUnavailable as error:
            pair, problem = None, error.reason
        pair = pair or self._tickets.load(self._app_id)
        answer: Answer = {"generation": pair.generation if pair else None}
        if pair is not None:
            age = self._orders.now() - pair.obtained_at
            self._journal.note("ticket_seen", seconds=age.total_seconds())
            answer["age_seconds"] = round(age.total_seconds())
            answer["ticket"] = freshness(pair, age=age).value
        return answer | ({"problem": problem} if problem else {})


class SweepTimer:
    """Sweeps, and says what was found."""

    def __init__(self, sweeper: SweepOrders) -> None:
        self._sweeper = sweeper

    def answer(self, time_left: TimeLeft) -> Answer:
        """Sweep until nothing is due or time is short. Raises StoreUnavailable."""
        found: Answer = msgspec.to_builtins(self._sweeper.sweep(time_left))
        return found

"""Timer events: their content is not read."""

import msgspec

from kycourier.core.errors import TicketUnavailableError
from kycourier.core.tickets.pair import freshness
from kycourier.ports import RuntimeDeps, Stores
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.refresh_ticket import RefreshReason, TicketRefresher
from kycourier.usecases.sweep_orders import SweepOrders

Response = dict[str, object]


class RefreshTimer:
    """Refreshes the pair if it is stale; without a refresher there is nothing to do."""

    def __init__(
        self,
        app_id: str,
        *,
        refresher: TicketRefresher | None,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._app_id, self._refresher = app_id, refresher
        self._tickets, self._orders = stores.tickets, stores.orders
        self._event_log = deps.event_log

    def handle(self, deadline: Deadline) -> Response:
        """Refreshes the pair if it is due.

        A failed refresh is counted, not raised: the pair before it remains in use.

        Returns:
            The stored pair's generation, age and freshness.

        Raises:
            StoreUnavailableError: the store failed.
            NewerSchemaError: a newer release wrote the pair.
        """
        if self._refresher is None:
            return {"ticket": "kept elsewhere"}
        problem = None
        try:
            pair = self._refresher.refresh(None, deadline, why=RefreshReason.SCHEDULED)
        except TicketUnavailableError as error:
            pair, problem = None, error.problem.fields()
        pair = pair or self._tickets.get(self._app_id)
        response: Response = {"generation": pair.generation if pair else None}
        if pair is not None:
            age = self._orders.now() - pair.obtained_at
            self._event_log.emit("ticket_age_measured", seconds=age.total_seconds())
            response["age_seconds"] = round(age.total_seconds())
            response["ticket"] = freshness(pair, age=age).value
        return response | ({"problem": problem} if problem else {})


class SweepTimer:
    """Sweeps what is due."""

    def __init__(self, sweeper: SweepOrders) -> None:
        self._sweeper = sweeper

    def handle(self, deadline: Deadline) -> Response:
        """Sweeps until nothing is due or time is short; returns the counts.

        Raises:
            StoreUnavailableError: the store failed.
        """
        report: Response = msgspec.to_builtins(self._sweeper.sweep(deadline))
        return report

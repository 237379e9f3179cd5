"""Describes the service's health: ticket, backlog, circuit breaker; no secrets."""

from datetime import datetime

from kycourier.core.tickets.pair import freshness
from kycourier.ports import Page, Stores
from kycourier.usecases.circuit_breaker import CircuitBreaker

PAGE = 100

Members = dict[str, object]


class Health:
    """Reads the state, by the store's clock."""

    def __init__(self, app_id: str, *, breaker: CircuitBreaker, stores: Stores) -> None:
        self._app_id, self._breaker = app_id, breaker
        self._tickets, self._orders = stores.tickets, stores.orders

    def describe(self) -> Members:
        """Returns the health. Raises StoreUnavailableError, NewerSchemaError."""
        now = self._orders.now()
        due = self._orders.list_due(self._app_id, limit=PAGE)
        unsent = self._orders.list_unsent(self._app_id, limit=PAGE)
        return {
            "ticket": self._ticket(now),
            "backlog": {
                "due": len(due.records),
                "unsent": len(unsent.records),
                "oldest_due_seconds": _oldest_seconds(due, now),
                "more": due.next is not None or unsent.next is not None,
            },
            "paused": self._breaker.open_for() is not None,
        }

    def _ticket(self, now: datetime) -> Members | None:
        """Describes the pair that this service keeps, if there is one."""
        pair = self._tickets.get(self._app_id)
        if pair is None:
            return None
        age = now - pair.obtained_at
        return {
            "generation": pair.generation,
            "age_seconds": max(0, int(age.total_seconds())),
            "state": freshness(pair, age=age).value,
        }


def _oldest_seconds(due: Page, now: datetime) -> int:
    dates = [record.due_at for record in due.records if record.due_at is not None]
    return max(0, int((now - min(dates, default=now)).total_seconds()))

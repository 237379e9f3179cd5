"""Describes the service's health: ticket, backlog, circuit breaker; no secrets."""

from collections import Counter
from datetime import datetime

from kycourier.core.circuit_breaker import BreakerState, state_of
from kycourier.core.orders.pages import Page
from kycourier.core.tickets.pair import freshness
from kycourier.ports import Stores

PAGE = 100

Members = dict[str, object]


class Health:
    """Reads the state, by the store's clock."""

    def __init__(self, app_id: str, *, stores: Stores) -> None:
        self._app_id, self._stores = app_id, stores
        self._tickets, self._orders = stores.tickets, stores.orders

    def describe(self) -> Members:
        """Returns the health. Raises StoreUnavailableError, NewerSchemaError.

        Its backlog counts what the due orders wait for, by cause, or by reason where
        the last attempt did not fail.
        """
        now = self._orders.now()
        due = self._orders.list_due(self._app_id, limit=PAGE)
        unsent = self._orders.list_unsent(self._app_id, limit=PAGE)
        return {
            **self._breaker(now),
            "ticket": self._ticket(now),
            "backlog": {
                "due": len(due.records),
                "due_by_cause": _count_causes(due),
                "failing_seconds": _failing_seconds(due, now),
                "unsent": len(unsent.records),
                "oldest_due_seconds": _oldest_seconds(due, now),
                "more": due.next is not None or unsent.next is not None,
            },
        }

    def _breaker(self, now: datetime) -> Members:
        breaker = self._stores.breakers.get(self._app_id)
        state = state_of(breaker, now=now)
        is_closed = state is BreakerState.CLOSED
        problem = breaker.problem.fields() if breaker.problem else None
        last = breaker.refresh_problem
        return {
            "breaker": {
                "state": "stopped" if breaker.until_resumed else state.value,
                "problem": None if is_closed else problem,
                "open_until": None if is_closed else breaker.open_until,
            },
            "last_refresh_failure": last.describe() if last else None,
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


def _count_causes(due: Page) -> dict[str, int]:
    return Counter(
        record.last_problem.cause.value
        if record.last_problem
        else record.reason or record.state.value
        for record in due.records
        if not record.state.is_final
    )


def _failing_seconds(due: Page, now: datetime) -> int:
    dates = [record.failing_since for record in due.records if record.failing_since]
    return max(0, int((now - min(dates, default=now)).total_seconds()))


def _oldest_seconds(due: Page, now: datetime) -> int:
    dates = [record.due_at for record in due.records if record.due_at is not None]
    return max(0, int((now - min(dates, default=now)).total_seconds()))

"""How the service stands: its ticket, its backlog, its pause; nothing secret."""

from datetime import datetime

from kycourier.core.ticket import freshness
from kycourier.ports import Page, State
from kycourier.usecases.heed_brake import BrakeGuard

PAGE = 100

Members = dict[str, object]


class Health:
    """Looks at the state by its own clock."""

    def __init__(self, app_id: str, *, brake: BrakeGuard, state: State) -> None:
        self._app_id, self._brake = app_id, brake
        self._tickets, self._orders = state.tickets, state.orders

    def describe(self) -> Members:
        """Tell it. Raises StoreUnavailable, NewerSchema."""
        now = self._orders.now()
        due = self._orders.due(self._app_id, limit=PAGE)
        unsent = self._orders.unsent(self._app_id, limit=PAGE)
        return {
            "ticket": self._ticket(now),
            "backlog": {
                "due": len(due.records),
                "unsent": len(unsent.records),
                "oldest_due_seconds": _oldest_seconds(due, now),
                "more": due.next is not None or unsent.next is not None,
            },
            "paused": self._brake.rest() is not None,
        }

    def _ticket(self, now: datetime) -> Members | None:
        """Show the pair that this service keeps, if it keeps one."""
        pair = self._tickets.load(self._app_id)
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

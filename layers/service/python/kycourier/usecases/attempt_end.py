"""Ends an attempt: commits its row, logs why it ended so, enqueues a reminder."""

from kycourier.core.documents.registry import document_type
from kycourier.core.errors import StaleOwnerError, StoreUnavailableError
from kycourier.core.orders import follow_up
from kycourier.core.orders.outcomes import outcome_of
from kycourier.core.orders.record import OrderRecord
from kycourier.core.orders.results import CollectedResult
from kycourier.ports import RuntimeDeps, Stores, WorkQueue


class AttemptEnd:
    """Writes what an attempt ended with, unless the order has a newer owner."""

    def __init__(
        self, *, queue: WorkQueue | None, stores: Stores, deps: RuntimeDeps
    ) -> None:
        self._queue, self._orders = queue, stores.orders
        self._event_log = deps.event_log

    def commit(self, changed: OrderRecord, claimed: OrderRecord) -> OrderRecord:
        """Commits the row if version and fence are still those of the claim.

        Returns:
            The same row, or the stored one of a newer owner.

        Raises:
            StoreUnavailableError: the store failed.
        """
        try:
            self._orders.commit(changed, expected=claimed)
        except StaleOwnerError:
            return self._yield_to_new_owner(changed, claimed)
        self.announce(changed)
        return changed

    def announce(self, record: OrderRecord) -> None:
        """Logs a committed end, and enqueues a reminder if the order waits."""
        last = record.last_problem
        problem = last.problem.fields() if last else {}
        self._event_log.emit(
            "order_settled" if record.state.is_final else "order_waiting",
            order_no=record.order_no,
            state=record.state.value,
            reason=record.reason,
            attempts=record.attempts,
            failing_seconds=record.failing_seconds,
            **problem,
        )
        outcome = outcome_of(record.state, record.reason)
        self._event_log.emit("attempt_ended", outcome=outcome.value, **problem)
        if not record.state.is_final:
            self._enqueue(record)

    def _enqueue(self, record: OrderRecord) -> None:
        """Enqueues a reminder; without one, the sweep finds the order."""
        if self._queue is None or record.due_at is None:
            return
        try:
            self._queue.enqueue(record.key, record.due_at - self._orders.now())
        except StoreUnavailableError:
            self._event_log.emit("enqueue_failed", order_no=record.order_no)

    def _yield_to_new_owner(
        self, changed: OrderRecord, claimed: OrderRecord
    ) -> OrderRecord:
        """Leaves the row to its newer owner; a different result is logged."""
        number = claimed.order_no
        self._event_log.emit(
            "stale_owner_refused", order_no=number, fence=claimed.fence
        )
        stored = self._orders.get(claimed.key)
        if stored is None:
            raise StoreUnavailableError("the row is gone")
        if _results_differ(stored, changed):
            self._event_log.emit("result_conflict", order_no=number)
        return self._recheck_orphans(stored) if changed.events else stored

    def _recheck_orphans(self, stored: OrderRecord) -> OrderRecord:
        """Has the sweep report what this attempt stored beside the evidence."""
        if not stored.state.is_final:
            return stored
        changed = follow_up.recheck_orphans(stored, now=self._orders.now())
        try:
            self._orders.commit(changed, expected=stored)
        except (StaleOwnerError, StoreUnavailableError):
            return stored
        return changed


def _results_differ(one: OrderRecord, other: OrderRecord) -> bool:
    """Checks whether two rows of an order hold different results."""
    if not (
        isinstance(one.result, CollectedResult)
        and isinstance(other.result, CollectedResult)
    ):
        return False
    identity = document_type(one.document).identity
    return identity(one.result.masked) != identity(other.result.masked)

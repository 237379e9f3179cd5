"""Registers an order, so that the sweep queries it if nobody announces it."""

from datetime import datetime, timedelta

from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.errors import (
    ApiProblemError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.orders import state_machine
from kycourier.core.orders.order_request import OrderRequest
from kycourier.core.orders.pages import Claim
from kycourier.core.orders.record import OrderRecord, OrderState
from kycourier.core.orders.replay_guard import is_repeated, record_call
from kycourier.ports import RuntimeDeps, Stores

MAX_TRIES = 5


def check_document(request: OrderRequest, record: OrderRecord) -> None:
    """Checks that an order is of the document that a request names, if it names one.

    Raises:
        ApiProblemError: it is of another.
    """
    if request.document not in {None, record.document}:
        raise ApiProblemError("document_mismatch")


class RegisterOrder:
    """Writes an order's first row, and makes orders due."""

    def __init__(
        self,
        *,
        ttl: timedelta,
        first_sweep: timedelta,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._ttl, self._first_sweep = ttl, first_sweep
        self._orders, self._event_log = stores.orders, deps.event_log

    def register(self, request: OrderRequest) -> Claim:
        """Inserts the row; the claim is granted if it is new.

        Raises:
            ApiProblemError: there is one of another document.
            StoreUnavailableError: the store failed.
        """
        claim = self._orders.register(self.draft(request))
        check_document(request, claim.record)
        if claim.granted:
            self._event_log.emit("order_registered", order_no=request.order.order_no)
        return claim

    def draft(self, request: OrderRequest) -> OrderRecord:
        """Builds the row that is inserted if there is none."""
        return state_machine.draft(
            request.order,
            document=request.document or DEFAULT_DOCUMENT,
            now=self._orders.now(),
            ttl=self._ttl,
            first_sweep=self._first_sweep,
            traceparent=request.traceparent,
        )

    def make_due(self, request: OrderRequest, *, reopen: bool = False) -> OrderRecord:
        """Makes the order due now; a parked one only with `reopen`.

        An order that is final or being collected is returned unchanged.

        Raises:
            ApiProblemError: the order is of another document.
            StoreUnavailableError: the store failed.
        """
        return self.call(request, reopen=reopen, signed_at=None).record

    def call(
        self, request: OrderRequest, *, reopen: bool, signed_at: datetime | None
    ) -> Claim:
        """Makes the order due like `make_due`, once for each signed call.

        Args:
            request: The order.
            reopen: Whether a parked order is to be reopened.
            signed_at: When the call was signed; None if it was not.

        Returns:
            The row; not granted if the call took effect before.

        Raises:
            ApiProblemError: the order is of another document.
            StoreUnavailableError: the store failed.
        """
        for _ in range(MAX_TRIES):
            record = self.register(request).record
            if is_repeated(record, reopens=reopen, signed_at=signed_at):
                return Claim(record, granted=False)
            changed = self._changed(record, reopen=reopen)
            if changed is None:
                return Claim(record, granted=True)
            changed = record_call(changed, reopens=reopen, signed_at=signed_at)
            try:
                self._orders.commit(changed, expected=record)
            except StaleOwnerError:
                continue
            if record.state is OrderState.PARKED:
                self._event_log.emit("order_reopened", order_no=record.order_no)
            return Claim(changed, granted=True)
        raise StoreUnavailableError("the row changes too often")

    def _changed(self, record: OrderRecord, *, reopen: bool) -> OrderRecord | None:
        now = self._orders.now()
        if record.state is OrderState.PARKED and reopen:
            return state_machine.reopen(record, now=now, ttl=self._ttl)
        if record.state in {OrderState.REGISTERED, OrderState.WAITING}:
            return state_machine.make_due(record, now=now)
        return None

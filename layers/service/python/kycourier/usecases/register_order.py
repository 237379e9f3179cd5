"""Expect an order: the sweep asks for it when nobody announces it."""

from datetime import datetime, timedelta

from msgspec import Struct

from kycourier.core import order
from kycourier.core.errors import StaleOwner, StoreUnavailable
from kycourier.core.models import Document, OrderKey
from kycourier.core.order_record import OrderRecord
from kycourier.core.order_record import State as OrderState
from kycourier.core.signed_call import is_repeated, note_call
from kycourier.ports import Ambient, Claim, State

MOST_TRIES = 5


class Expected(Struct, frozen=True, kw_only=True):
    """An order as somebody names it."""

    order: OrderKey
    document: Document = Document.BANK_CARD
    traceparent: str | None = None


class RegisterOrder:
    """Writes an order's first row."""

    def __init__(
        self,
        *,
        ttl: timedelta,
        first_sweep: timedelta,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._ttl, self._first_sweep = ttl, first_sweep
        self._orders, self._journal = state.orders, ambient.journal

    def register(self, expected: Expected) -> Claim:
        """Insert the row; `granted` tells whether it is new."""
        claim = self._orders.register(self.draft(expected))
        if claim.granted:
            self._journal.note("order_registered", order_no=expected.order.order_no)
        return claim

    def draft(self, expected: Expected) -> OrderRecord:
        """Begin the row that stands if there is none."""
        return order.draft(
            expected.order,
            document=expected.document,
            now=self._orders.now(),
            ttl=self._ttl,
            first_sweep=self._first_sweep,
            traceparent=expected.traceparent,
        )

    def make_due(self, expected: Expected, *, reopen: bool = False) -> OrderRecord:
        """Make sure that the order is due now, a parked one only on `reopen`.

        What is final or being worked on is given as it is. Raises StoreUnavailable.
        """
        return self.call(expected, reopen=reopen, signed_at=None).record

    def call(
        self, expected: Expected, *, reopen: bool, signed_at: datetime | None
    ) -> Claim:
        """Make the order due as `make_due` does, once for each signed call.

        Not granted: the call counted before. Raises StoreUnavailable.
        """
        for _ in range(MOST_TRIES):
            record = self.register(expected).record
            if is_repeated(record, reopens=reopen, signed_at=signed_at):
                return Claim(record, granted=False)
            changed = self._changed(record, reopen=reopen)
            if changed is None:
                return Claim(record, granted=True)
            changed = note_call(changed, reopens=reopen, signed_at=signed_at)
            try:
                self._orders.commit(changed, expected=record)
            except StaleOwner:
                continue
            if record.state is OrderState.PARKED:
                self._journal.note("order_reopened", order_no=record.order_no)
            return Claim(changed, granted=True)
        raise StoreUnavailable("the row changes too often")

    def _changed(self, record: OrderRecord, *, reopen: bool) -> OrderRecord | None:
        now = self._orders.now()
        if record.state is OrderState.PARKED and reopen:
            return order.reopen(record, now=now, ttl=self._ttl)
        if record.state in {OrderState.REGISTERED, OrderState.WAITING}:
            return order.make_due(record, now=now)
        return None

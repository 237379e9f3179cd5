"""What stores return of orders: a claim's outcome, and pages of rows."""

from datetime import datetime

from msgspec import Struct

from kycourier.core.causes import Cause
from kycourier.core.documents.recognition import Document
from kycourier.core.orders.record import OrderRecord, OrderState


class Claim(Struct, frozen=True):
    """The row after a claim, and whether it was granted."""

    record: OrderRecord
    granted: bool


class Cursor(Struct, frozen=True):
    """Where a page ended."""

    due_at: datetime
    order_no: str


class Page(Struct, frozen=True):
    """Some rows, the longest due first, and where the next page starts (None: nowhere).

    `unreadable` counts rows that were skipped: damaged, or of a newer release.
    """

    records: tuple[OrderRecord, ...]
    next: Cursor | None
    unreadable: int = 0


class OrderFilter(Struct, frozen=True, kw_only=True):
    """Which orders are looked for; None: any. The instants bound the registration.

    `since` is included, `until` is not. `cause` is a word of the last problem.
    """

    state: OrderState | None = None
    document: Document | None = None
    cause: Cause | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, record: OrderRecord) -> bool:
        """Checks a row."""
        last, at = record.last_problem, record.registered_at
        return (
            (self.state is None or record.state is self.state)
            and (self.document is None or record.document == self.document)
            and (self.cause is None or (last is not None and last.cause is self.cause))
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
        )


class FindCursor(Struct, frozen=True):
    """Where a page of found orders ended; both values of an order never change."""

    registered_at: datetime
    order_no: str


class FoundPage(Struct, frozen=True):
    """Some orders, the newest registered first, and where the next page starts.

    A page may be short before the last one: each call reads a limited number of rows.
    """

    records: tuple[OrderRecord, ...]
    next: FindCursor | None
    unreadable: int = 0

"""What stores return of orders: a claim's outcome, and pages of rows."""

from datetime import datetime

from msgspec import Struct

from kycourier.core.orders.record import OrderRecord


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

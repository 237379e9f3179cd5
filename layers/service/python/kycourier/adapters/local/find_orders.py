"""Finds orders in SQLite, by an index of state and registration."""

from kycourier.adapters.local.sqlite import SqliteFile
from kycourier.adapters.stores.found_index import (
    Bounds,
    Candidate,
    entry_of,
    find_page,
    split_entry,
)
from kycourier.core.orders.pages import FindCursor, FoundPage, OrderFilter

FIND = (
    "SELECT registered, order_no, record FROM orders WHERE app_id = ?{}"
    " AND registered >= ? AND (registered, order_no) < (?, ?)"
    " ORDER BY registered DESC, order_no DESC LIMIT ?"
)


def find_orders(
    file: SqliteFile,
    app_id: str,
    wanted: OrderFilter,
    *,
    limit: int,
    after: FindCursor | None,
) -> FoundPage:
    """Finds orders, as `OrderStore.find` does. Raises StoreUnavailableError."""
    state = wanted.state.value if wanted.state else None
    query = FIND.format("" if state is None else " AND state = ?")
    chosen = (app_id,) if state is None else (app_id, state)

    def fetch(bounds: Bounds, limit: int) -> list[Candidate]:
        lowest, _ = split_entry(bounds.lowest)
        below = split_entry(bounds.below)
        rows = file.read(query, (*chosen, lowest, *below, limit))
        return [
            Candidate(entry_of(row["registered"], row["order_no"]), row["record"])
            for row in rows
        ]

    return find_page(fetch, wanted=wanted, limit=limit, after=after)

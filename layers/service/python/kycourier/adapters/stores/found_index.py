"""Finds orders for all stores: the newest registered first, by lists of each state.

An entry sorts as (registered_at, order_no) does. All open orders are in one list, final
ones in that of their state. A row is read again and left out if it has changed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from kycourier.adapters.stores.timestamps import to_instant, to_ticks
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from kycourier.core.orders.pages import FindCursor, FoundPage, OrderFilter
from kycourier.core.orders.record import OrderRecord, OrderState, decode_record
from kycourier.core.redaction import repr_only

OPEN = "open"
FINAL_STATES = tuple(state.value for state in OrderState if state.is_final)
LISTS = (OPEN, *FINAL_STATES)
MAX_READ = 1000  # rows in one call
_BATCH = 100
_DIGITS = 20
_LOWEST, _HIGHEST = "0", "~"  # below and above every entry


@repr_only()
class Candidate(Struct, frozen=True):
    """An entry of a list, and its row's content; None if the row is gone."""

    entry: str
    content: bytes | None


@repr_only()
class Bounds(Struct, frozen=True):
    """Entries from `lowest` on, and below `below`."""

    lowest: str
    below: str

    def holds(self, entry: str) -> bool:
        """Checks an entry."""
        return self.lowest <= entry < self.below


# Bounds, limit → the highest candidates of all wanted lists, the highest first.
FetchCandidates = Callable[[Bounds, int], Sequence[Candidate]]


def list_of(record: OrderRecord) -> str:
    """Returns the name of a row's list."""
    return record.state.value if record.state.is_final else OPEN


def wanted_lists(wanted: OrderFilter) -> tuple[str, ...]:
    """Returns the lists that may hold wanted orders."""
    if wanted.state is None:
        return LISTS
    return (wanted.state.value if wanted.state.is_final else OPEN,)


def build_entry(record: OrderRecord) -> str:
    """Builds a row's entry, which never changes."""
    return entry_of(to_ticks(record.registered_at), record.order_no)


def entry_of(ticks: int, order_no: str) -> str:
    """Builds the entry of an order that was registered at `ticks`."""
    return f"{ticks:0{_DIGITS}}/{order_no}"


def split_entry(entry: str) -> tuple[int, str]:
    """Returns ticks and order number of an entry, or of a bound."""
    digits = entry[:_DIGITS]
    return int(digits) if digits.isdigit() else 10**18, entry[_DIGITS + 1 :]


def find_page(
    fetch: FetchCandidates,
    *,
    wanted: OrderFilter,
    limit: int,
    after: FindCursor | None,
) -> FoundPage:
    """Reads a page of wanted orders. Raises StoreUnavailableError.

    Args:
        fetch: Returns candidates between two bounds; fewer than asked for are the last.
        wanted: Which orders.
        limit: The longest page.
        after: Where the last page ended.
    """
    bounds = _bounds(wanted, after)
    found: list[OrderRecord] = []
    unreadable = unreadable_before = read = 0  # in all; above the page's last order
    is_exact = wanted.cause is None and wanted.document is None
    batch = limit + 1 if is_exact else _BATCH
    while bounds.lowest < bounds.below and read < MAX_READ:
        candidates = fetch(bounds, batch)
        read += len(candidates)
        for candidate in candidates:
            record = _try_decode(candidate.content)
            unreadable += candidate.content is not None and record is None
            if record is None or build_entry(record) != candidate.entry:
                continue
            if not wanted.matches(record):
                continue
            if len(found) == limit:
                end = _cursor(build_entry(found[-1]))
                return FoundPage(tuple(found), end, unreadable_before)
            found.append(record)
            unreadable_before = unreadable
        if len(candidates) < batch:
            return FoundPage(tuple(found), None, unreadable)
        bounds = Bounds(bounds.lowest, candidates[-1].entry)
    is_end = bounds.lowest >= bounds.below
    return FoundPage(
        tuple(found), None if is_end else _cursor(bounds.below), unreadable
    )


def merge(lists: Sequence[Sequence[str]], limit: int) -> list[str]:
    """Returns the highest entries of some lists, the highest first."""
    return sorted({entry for each in lists for entry in each}, reverse=True)[:limit]


def order_numbers(entries: Sequence[str]) -> Iterator[str]:
    """Yields the order number of each entry."""
    return (split_entry(entry)[1] for entry in entries)


def _bounds(wanted: OrderFilter, after: FindCursor | None) -> Bounds:
    lowest = _start_of(wanted.since) if wanted.since else _LOWEST
    highest = [_HIGHEST]
    if wanted.until:
        highest.append(_start_of(wanted.until))
    if after:
        highest.append(entry_of(to_ticks(after.registered_at), after.order_no))
    return Bounds(lowest, min(highest))


def _start_of(instant: datetime) -> str:
    """Returns the first text of an instant's entries; no order is older than 1970."""
    return f"{max(0, to_ticks(instant)):0{_DIGITS}}"


def _try_decode(content: bytes | None) -> OrderRecord | None:
    if content is None:
        return None
    with suppress(NewerSchemaError, StoreUnavailableError):
        return decode_record(content)
    return None


def _cursor(entry: str) -> FindCursor:
    ticks, order_no = split_entry(entry)
    return FindCursor(to_instant(ticks), order_no)

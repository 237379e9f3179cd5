"""Indexes due rows for stores that sort strings and spread keys over shards.

An entry sorts as (due_at, order_no) does. Each list of an app (`due`, `unsent`) is
split into SHARDS shards, so that none is hot; a page has the first rows of all shards.
An index may lag behind its rows, so each row is read again and left out if it changed.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from kycourier.adapters.stores.timestamps import to_instant, to_ticks
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from kycourier.core.orders.pages import Cursor, Page
from kycourier.core.orders.record import OrderRecord, PendingWork, decode_record

SHARDS = 8  # part of the stored keys: a change would hide existing rows
DUE, UNSENT = "due", "unsent"
HIGHEST = "~"  # above every entry
_DIGITS = 20

# Shard, lower bound (exclusive), upper bound (inclusive), limit → entries.
FetchEntries = Callable[[int, str, str, int], Sequence[str]]
LoadRecords = Callable[[Sequence[str]], Mapping[str, bytes]]


def shard_of(order_no: str) -> int:
    """Returns the shard of an order's entries."""
    return zlib.crc32(order_no.encode()) % SHARDS


def list_of(record: OrderRecord) -> str | None:
    """Returns the name of a row's list; None if the row is never due."""
    if record.due_at is None:
        return None
    return UNSENT if record.pending_work is PendingWork.PUBLISH else DUE


def build_entry(record: OrderRecord) -> str | None:
    """Builds a row's entry; None if the row is never due."""
    return None if record.due_at is None else _entry(record.due_at, record.order_no)


def read_page(
    fetch_entries: FetchEntries,
    load_records: LoadRecords,
    *,
    name: str,
    now: datetime,
    limit: int,
    after: Cursor | None,
) -> Page:
    """Reads a page of a list. Raises StoreUnavailableError.

    Args:
        fetch_entries: Returns a shard's entries between two bounds, in order.
        load_records: Reads the records of order numbers that exist, consistently.
        name: The list, DUE or UNSENT.
        now: The store's time.
        limit: The longest page.
        after: Where the last page ended.
    """
    above = _entry(after.due_at, after.order_no) if after else ""
    up_to = f"{to_ticks(now):0{_DIGITS}}0"  # above every order number of that instant
    entries = sorted(
        entry
        for shard in range(SHARDS)
        for entry in fetch_entries(shard, above, up_to, limit + 1)
    )
    listed = entries[:limit]
    rows = load_records([order_no_of(entry) for entry in listed])
    records, unreadable = [], 0
    for entry in listed:
        text = rows.get(order_no_of(entry))
        if text is None:
            continue
        record = _try_decode(text)
        if record is None:
            unreadable += 1
        elif list_of(record) == name and build_entry(record) == entry:
            records.append(record)
    end = _cursor(listed[-1]) if len(entries) > limit else None
    return Page(tuple(records), end, unreadable=unreadable)


def _try_decode(text: bytes) -> OrderRecord | None:
    with suppress(NewerSchemaError, StoreUnavailableError):
        return decode_record(text)
    return None


def _entry(due_at: datetime, order_no: str) -> str:
    return f"{to_ticks(due_at):0{_DIGITS}}/{order_no}"


def order_no_of(entry: str) -> str:
    """Returns the order number of an entry."""
    return entry[_DIGITS + 1 :]


def _cursor(entry: str) -> Cursor:
    return Cursor(to_instant(int(entry[:_DIGITS])), order_no_of(entry))

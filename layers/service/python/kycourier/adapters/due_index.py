"""The index of due rows for stores that sort texts and spread keys over shards.

An entry sorts as (due_at, order_no) does. Each list of an app (`due`, `unsent`) lies in
SHARDS parts, so that no part is hot; a page is the first rows of all parts. An index
may lag behind its rows: these are read again, and what moved on is left out.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from kycourier.adapters.instants import to_instant, to_ticks
from kycourier.core.errors import NewerSchema, StoreUnavailable
from kycourier.core.order_record import Need, OrderRecord, decode_record
from kycourier.ports import Cursor, Page

SHARDS = 8  # part of the stored keys: another number would hide the rows of today
DUE, UNSENT = "due", "unsent"
_DIGITS = 20

Fetch = Callable[[int, str, str, int], Sequence[str]]
Load = Callable[[Sequence[str]], Mapping[str, bytes]]


def shard_of(order_no: str) -> int:
    """Give the part that an order's entries lie in."""
    return zlib.crc32(order_no.encode()) % SHARDS


def list_of(record: OrderRecord) -> str | None:
    """Name the list that a row stands in, None when it is never due."""
    if record.due_at is None:
        return None
    return UNSENT if record.need is Need.SEND else DUE


def build_entry(record: OrderRecord) -> str | None:
    """Build a row's entry, None when it is never due."""
    return None if record.due_at is None else _entry(record.due_at, record.order_no)


def read_page(
    fetch: Fetch,
    load: Load,
    *,
    name: str,
    now: datetime,
    limit: int,
    after: Cursor | None,
) -> Page:
    """Read a page of a list.

    `fetch(shard, above, up_to, most)` gives a part's entries in order; `load` gives the
    records of order numbers, read strongly, without those that are gone.
    """
    above = _entry(after.due_at, after.order_no) if after else ""
    up_to = f"{to_ticks(now):0{_DIGITS}}0"  # above every order number of that instant
    found = sorted(
        entry
        for shard in range(SHARDS)
        for entry in fetch(shard, above, up_to, limit + 1)
    )
    listed = found[:limit]
    rows = load([_order_no(entry) for entry in listed])
    records, unreadable = [], 0
    for entry in listed:
        text = rows.get(_order_no(entry))
        if text is None:
            continue
        record = None
        with suppress(NewerSchema, StoreUnavailable):
            record = decode_record(text)
        if record is None:
            unreadable += 1
        elif list_of(record) == name and build_entry(record) == entry:
            records.append(record)
    end = _cursor(listed[-1]) if len(found) > limit else None
    return Page(tuple(records), end, unreadable=unreadable)


def _entry(due_at: datetime, order_no: str) -> str:
    return f"{to_ticks(due_at):0{_DIGITS}}/{order_no}"


def _order_no(entry: str) -> str:
    return entry[_DIGITS + 1 :]


def _cursor(entry: str) -> Cursor:
    return Cursor(to_instant(int(entry[:_DIGITS])), _order_no(entry))

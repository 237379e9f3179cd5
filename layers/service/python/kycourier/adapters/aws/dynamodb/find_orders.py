"""Finds orders in DynamoDB: final ones by an index of their own, open ones as due.

Every open order is in the index of due orders, by its due time. So a search for open
orders reads them all; they are those of the last days.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from kycourier.adapters.aws.dynamodb.indexes import list_ended, list_entries
from kycourier.adapters.aws.dynamodb.table import Table
from kycourier.adapters.stores import due_index
from kycourier.adapters.stores.found_index import (
    OPEN,
    Bounds,
    Candidate,
    build_entry,
    find_page,
    merge,
    order_numbers,
    wanted_lists,
)
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from kycourier.core.orders.pages import FindCursor, FoundPage, OrderFilter
from kycourier.core.orders.record import decode_record

_MAX_OPEN = 10_000  # of a shard: what one search reads at most

LoadRecords = Callable[[str, Sequence[str]], Mapping[str, bytes]]


def due_part(app_id: str, name: str, shard: int) -> str:
    """Returns a partition of the index of due orders."""
    return f"{app_id}/{name}/{shard}"


def ended_part(app_id: str, state: str) -> str:
    """Returns a partition of the index of ended orders."""
    return f"{app_id}/{state}"


def find_orders(
    table: Table,
    load: LoadRecords,
    app_id: str,
    wanted: OrderFilter,
    *,
    limit: int,
    after: FindCursor | None,
) -> FoundPage:
    """Finds orders, as `OrderStore.find` does. Raises StoreUnavailableError."""
    names = wanted_lists(wanted)
    ended = [ended_part(app_id, name) for name in names if name != OPEN]
    opened = _read_open(table, load, app_id) if OPEN in names else {}

    def fetch(bounds: Bounds, limit: int) -> list[Candidate]:
        lowest, below = bounds.lowest, bounds.below
        lists = [
            list_ended(table.call, part, lowest=lowest, below=below, limit=limit)
            for part in ended
        ]
        entries = merge(lists, limit)
        numbers = list(order_numbers(entries))
        records = load(app_id, numbers)
        found = {
            entry: records.get(number)
            for entry, number in zip(entries, numbers, strict=True)
        }
        found |= {each: row for each, row in opened.items() if bounds.holds(each)}
        return [Candidate(each, found[each]) for each in merge([list(found)], limit)]

    return find_page(fetch, wanted=wanted, limit=limit, after=after)


def _read_open(table: Table, load: LoadRecords, app_id: str) -> dict[str, bytes]:
    """Returns the rows of all open orders by their entries."""
    numbers = {
        due_index.order_no_of(entry)
        for shard in range(due_index.SHARDS)
        for entry in list_entries(
            table.call,
            due_part(app_id, due_index.DUE, shard),
            above="",
            up_to=due_index.HIGHEST,
            limit=_MAX_OPEN,
        )
    }
    rows = {}
    for content in load(app_id, sorted(numbers)).values():
        with suppress(NewerSchemaError, StoreUnavailableError):
            record = decode_record(content)
            if not record.state.is_final:
                rows[build_entry(record)] = content
    return rows

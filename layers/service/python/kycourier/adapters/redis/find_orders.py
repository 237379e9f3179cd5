"""Finds orders in Redis, by sorted sets that lie in the slots of their rows."""

from collections.abc import Callable, Mapping, Sequence

from kycourier.adapters.redis.client import RedisClient
from kycourier.adapters.redis.connections import Value
from kycourier.adapters.redis.keys import found_key
from kycourier.adapters.stores.due_index import SHARDS
from kycourier.adapters.stores.found_index import (
    Bounds,
    Candidate,
    find_page,
    merge,
    order_numbers,
    wanted_lists,
)
from kycourier.core.orders.pages import FindCursor, FoundPage, OrderFilter

# lists of found orders; highest (exclusive), lowest, limit
_FIND = """
local entries = {}
for _, key in ipairs(KEYS) do
  local some = redis.call('ZRANGE', key, ARGV[1], ARGV[2],
    'BYLEX', 'REV', 'LIMIT', 0, ARGV[3])
  for _, entry in ipairs(some) do entries[#entries + 1] = entry end
end
return entries
"""

LoadRecords = Callable[[str, Sequence[str]], Mapping[str, bytes]]


def find_orders(
    client: RedisClient,
    load: LoadRecords,
    app_id: str,
    wanted: OrderFilter,
    *,
    limit: int,
    after: FindCursor | None,
) -> FoundPage:
    """Finds orders, as `OrderStore.find` does. Raises StoreUnavailableError."""
    names = wanted_lists(wanted)

    def fetch(bounds: Bounds, limit: int) -> list[Candidate]:
        values: list[Value] = [f"({bounds.below}", f"[{bounds.lowest}", limit]
        shards = []
        for shard in range(SHARDS):
            keys = [found_key(app_id, shard, name) for name in names]
            some = client.run(_FIND, keys=keys, values=values)
            entries = some if isinstance(some, list) else []
            shards.append([entry.decode() for entry in entries])
        entries = merge(shards, limit)
        numbers = list(order_numbers(entries))
        records = load(app_id, numbers)
        return [
            Candidate(entry, records.get(number))
            for entry, number in zip(entries, numbers, strict=True)
        ]

    return find_page(fetch, wanted=wanted, limit=limit, after=after)

"""Stores the orders' rows in Redis, with compare-and-set on version and fence."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from kycourier.adapters.redis.client import MAX_RACES, RedisClient, to_utc
from kycourier.adapters.redis.connections import Value
from kycourier.adapters.redis.find_orders import find_orders
from kycourier.adapters.redis.keys import (
    app_key,
    list_key,
    order_key,
    row_keys,
)
from kycourier.adapters.stores import due_index, found_index
from kycourier.core.documents.recognition import Document
from kycourier.core.errors import StaleOwnerError, StoreUnavailableError
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.pages import (
    Claim,
    Cursor,
    FindCursor,
    FoundPage,
    OrderFilter,
    Page,
)
from kycourier.core.orders.record import (
    OrderKey,
    OrderRecord,
    decode_record,
    encode_record,
)
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.redaction import scrub_traceback
from kycourier.core.timing import POISON_RETENTION

# row
_READ = "return {redis.call('HGET', KEYS[1], 'record'), now()}"
# rows
_READ_ALL = """
local records = {}
for index, row in ipairs(KEYS) do
  records[index] = redis.call('HGET', row, 'record')
end
return records
"""
# row, due, unsent, found lists; expected version and fence, writer, version, fence,
# list, entry, record, number of the found list, entry in it. A full Redis refuses HSET.
_WRITE = """
local lists = {due = KEYS[2], unsent = KEYS[3]}
local row = redis.call('HMGET', KEYS[1],
  'version', 'fence', 'writer', 'list', 'entry', 'found')
if row[3] == ARGV[3] then return 1 end
if (row[1] or '') ~= ARGV[1] or (row[2] or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[4], 'fence', ARGV[5],
  'writer', ARGV[3], 'list', ARGV[6], 'entry', ARGV[7], 'record', ARGV[8],
  'found', ARGV[9])
if lists[row[4]] then redis.call('ZREM', lists[row[4]], row[5]) end
if lists[ARGV[6]] then redis.call('ZADD', lists[ARGV[6]], 0, ARGV[7]) end
if row[6] ~= ARGV[9] then
  for at = 4, #KEYS do redis.call('ZREM', KEYS[at], ARGV[10]) end
  redis.call('ZADD', KEYS[ARGV[9] + 3], 0, ARGV[10])
end
return 1
"""
# poison; seconds to keep it
_COUNT_POISON = """
local at = now()
redis.call('HSETNX', KEYS[1], 'first_at', at)
redis.call('HSET', KEYS[1], 'last_at', at)
redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""


class RedisOrderStore:
    """Orders in Redis, by its clock."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def now(self) -> datetime:
        """Returns the server's clock, aware UTC. Raises StoreUnavailableError."""
        return self._client.now()

    @scrub_traceback
    def register(self, draft: OrderRecord) -> Claim:
        """Inserts the row; returns the stored row, not granted, if there is one.

        Raises:
            StoreUnavailableError: Redis failed.
            NewerSchemaError: a newer release wrote the row.
        """
        return self._decide(
            draft.key, lambda stored, _: Claim(stored or draft, granted=stored is None)
        )

    @scrub_traceback
    def claim(
        self,
        draft: OrderRecord,
        *,
        owner: str,
        lease: timedelta,
        urgency: Urgency,
        folder: str,
        document: Document | None = None,
    ) -> Claim:
        """Claims the order if it may be claimed; inserts it if absent.

        Raises:
            StoreUnavailableError: Redis failed.
            NewerSchemaError: a newer release wrote the row.
        """

        def claim(stored: OrderRecord | None, now: datetime) -> Claim:
            claimed = rules.try_claim(
                stored,
                draft,
                owner=owner,
                now=now,
                lease=lease,
                urgency=urgency,
                folder=folder,
                document=document,
            )
            return Claim(claimed or stored or draft, granted=claimed is not None)

        return self._decide(draft.key, claim)

    @scrub_traceback
    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        """Replaces the row if version and fence are those of `expected`.

        Raises:
            StaleOwnerError: the row has changed.
            StoreUnavailableError: Redis failed.
        """
        if not self._write(record, expected=expected):
            raise StaleOwnerError("order")

    @scrub_traceback
    def get(self, order: OrderKey) -> OrderRecord | None:
        """Reads a row. Raises StoreUnavailableError, NewerSchemaError."""
        record = self._client.read_field(order_key(order), "record")
        return None if record is None else decode_record(record)

    @scrub_traceback
    def list_due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """Lists due rows to collect or to check. Raises StoreUnavailableError."""
        return self._page(app_id, due_index.DUE, limit, after)

    @scrub_traceback
    def list_unsent(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page:
        """Lists due final rows with unsent events. Raises StoreUnavailableError."""
        return self._page(app_id, due_index.UNSENT, limit, after)

    @scrub_traceback
    def find(
        self,
        app_id: str,
        wanted: OrderFilter,
        *,
        limit: int,
        after: FindCursor | None = None,
    ) -> FoundPage:
        """Finds orders, the newest registered first. Raises StoreUnavailableError."""
        return find_orders(
            self._client, self._records, app_id, wanted, limit=limit, after=after
        )

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        """Counts an unprocessable message by source and problem.

        Raises:
            StoreUnavailableError: Redis failed.
        """
        key = app_key(app_id, f"poison:{source}:{problem}")
        seconds = int(POISON_RETENTION.total_seconds())
        self._client.run(_COUNT_POISON, keys=[key], values=[seconds])

    def _decide(
        self,
        order: OrderKey,
        decide: Callable[[OrderRecord | None, datetime], Claim],
    ) -> Claim:
        """Reads, decides, writes; repeats after a concurrent write."""
        for _ in range(MAX_RACES):
            stored, now = self._read(order)
            claim = decide(stored, now)
            if claim.record is stored or self._write(claim.record, expected=stored):
                return claim
        raise StoreUnavailableError("contended")

    def _read(self, order: OrderKey) -> tuple[OrderRecord | None, datetime]:
        response = self._client.run(_READ, keys=[order_key(order)])
        record, now = response if isinstance(response, list) else (None, 0)
        return None if record is None else decode_record(record), to_utc(now)

    def _write(self, record: OrderRecord, *, expected: OrderRecord | None) -> bool:
        """Writes over the expected row, or none; returns False if another is stored."""
        version, fence = (expected.version, expected.fence) if expected else ("", "")
        values: list[Value] = [
            version,
            fence,
            self._client.draw_writer(),
            record.version,
            record.fence,
            due_index.list_of(record) or "",
            due_index.build_entry(record) or "",
            encode_record(record),
            found_index.LISTS.index(found_index.list_of(record)) + 1,
            found_index.build_entry(record),
        ]
        return self._client.run(_WRITE, keys=row_keys(record.key), values=values) == 1

    def _page(self, app_id: str, name: str, limit: int, after: Cursor | None) -> Page:
        return due_index.read_page(
            lambda shard, above, up_to, most: self._entries(
                list_key(app_id, shard, name), above, up_to, most
            ),
            lambda order_nos: self._records(app_id, order_nos),
            name=name,
            now=self.now(),
            limit=limit,
            after=after,
        )

    def _entries(self, key: str, above: str, up_to: str, most: int) -> Sequence[str]:
        begin = f"({above}" if above else "-"
        bounds = ("ZRANGE", key, begin, f"[{up_to}", "BYLEX", "LIMIT", 0, most)
        entries = self._client.call(*bounds, key=key)
        if not isinstance(entries, list):
            return []
        return [entry.decode() for entry in entries]

    def _records(self, app_id: str, order_nos: Sequence[str]) -> Mapping[str, bytes]:
        shards: dict[int, list[str]] = {}
        for order_no in order_nos:
            shards.setdefault(due_index.shard_of(order_no), []).append(order_no)
        loaded: dict[str, bytes] = {}
        for numbers in shards.values():
            keys = [order_key(OrderKey(app_id, number)) for number in numbers]
            response = self._client.run(_READ_ALL, keys=keys)
            records = response if isinstance(response, list) else []
            pairs = zip(numbers, records, strict=True)
            loaded |= {number: text for number, text in pairs if text is not None}
        return loaded

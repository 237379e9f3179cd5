"""The orders' rows in Redis: decided here, written only over the row that was read."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from kycourier.adapters import due_index
from kycourier.adapters.redis.connections import Value
from kycourier.adapters.redis.keys import app_key, list_key, order_key, row_keys
from kycourier.adapters.redis.server import (
    MOST_RACES,
    RedisServer,
    read_instant,
)
from kycourier.core import order as rules
from kycourier.core.errors import StaleOwner, StoreUnavailable, forgetful
from kycourier.core.models import OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, decode_record, encode_record
from kycourier.ports import Claim, Cursor, Page

POISON_LIFE = timedelta(days=90)
# row
_READ = "return {redis.call('HGET', KEYS[1], 'record'), now()}"
# rows
_READ_ALL = """
local found = {}
for place, row in ipairs(KEYS) do found[place] = redis.call('HGET', row, 'record') end
return found
"""
# row, due, unsent; expected version and fence, writer, version, fence, list, entry,
# record. The first write is one that a full Redis refuses: then nothing is half done.
_WRITE = """
local lists = {due = KEYS[2], unsent = KEYS[3]}
local row = redis.call('HMGET', KEYS[1],
  'version', 'fence', 'writer', 'list', 'entry')
if row[3] == ARGV[3] then return 1 end
if (row[1] or '') ~= ARGV[1] or (row[2] or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[4], 'fence', ARGV[5],
  'writer', ARGV[3], 'list', ARGV[6], 'entry', ARGV[7], 'record', ARGV[8])
if lists[row[4]] then redis.call('ZREM', lists[row[4]], row[5]) end
if lists[ARGV[6]] then redis.call('ZADD', lists[ARGV[6]], 0, ARGV[7]) end
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
    """Orders of a Redis server, by its clock."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def now(self) -> datetime:
        """Tell the server's clock, aware UTC. Raises StoreUnavailable."""
        return self._server.now()

    @forgetful
    def register(self, draft: OrderRecord) -> Claim:
        """Insert the row, or give the one that is there, not granted.

        Raises StoreUnavailable, NewerSchema.
        """
        return self._decide(
            draft.key, lambda there, _: Claim(there or draft, granted=there is None)
        )

    @forgetful
    def claim(
        self,
        draft: OrderRecord,
        *,
        owner: str,
        lease: timedelta,
        urgency: Urgency,
        folder: str,
    ) -> Claim:
        """Take the order if it may be taken; insert it if absent.

        Raises StoreUnavailable, NewerSchema.
        """

        def take(there: OrderRecord | None, now: datetime) -> Claim:
            taken = rules.take(
                there,
                draft,
                owner=owner,
                now=now,
                lease=lease,
                urgency=urgency,
                folder=folder,
            )
            return Claim(taken or there or draft, granted=taken is not None)

        return self._decide(draft.key, take)

    @forgetful
    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        """Replace the row if version and fence are those of `expected`.

        Raises StaleOwner, StoreUnavailable.
        """
        if not self._write(record, expected=expected):
            raise StaleOwner("order")

    @forgetful
    def load(self, order: OrderKey) -> OrderRecord | None:
        """Read a row, strongly. Raises StoreUnavailable, NewerSchema."""
        record = self._server.read_field(order_key(order), "record")
        return None if record is None else decode_record(record)

    @forgetful
    def due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """List rows that are due to be collected or tidied. Raises StoreUnavailable."""
        return self._page(app_id, due_index.DUE, limit, after)

    @forgetful
    def unsent(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """List final rows that are due to be sent. Raises StoreUnavailable."""
        return self._page(app_id, due_index.UNSENT, limit, after)

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        """Count an unusable message: where from and why. Raises StoreUnavailable."""
        key = app_key(app_id, f"poison:{source}:{problem}")
        seconds = int(POISON_LIFE.total_seconds())
        self._server.run(_COUNT_POISON, keys=[key], values=[seconds])

    def _decide(
        self,
        order: OrderKey,
        decide: Callable[[OrderRecord | None, datetime], Claim],
    ) -> Claim:
        """Read, decide and write, again while another write comes in between."""
        for _ in range(MOST_RACES):
            there, now = self._read(order)
            claim = decide(there, now)
            if claim.record is there or self._write(claim.record, expected=there):
                return claim
        raise StoreUnavailable("contended")

    def _read(self, order: OrderKey) -> tuple[OrderRecord | None, datetime]:
        answer = self._server.run(_READ, keys=[order_key(order)])
        record, now = answer if isinstance(answer, list) else (None, 0)
        return None if record is None else decode_record(record), read_instant(now)

    def _write(self, record: OrderRecord, *, expected: OrderRecord | None) -> bool:
        """Write over the expected row, or where there is none; tell whether it was."""
        version, fence = (expected.version, expected.fence) if expected else ("", "")
        values: list[Value] = [
            version,
            fence,
            self._server.draw_writer(),
            record.version,
            record.fence,
            due_index.list_of(record) or "",
            due_index.build_entry(record) or "",
            encode_record(record),
        ]
        return self._server.run(_WRITE, keys=row_keys(record.key), values=values) == 1

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
        answer = self._server.call(*bounds, key=key)
        return [entry.decode() for entry in answer] if isinstance(answer, list) else []

    def _records(self, app_id: str, order_nos: Sequence[str]) -> Mapping[str, bytes]:
        shards: dict[int, list[str]] = {}
        for order_no in order_nos:
            shards.setdefault(due_index.shard_of(order_no), []).append(order_no)
        found: dict[str, bytes] = {}
        for numbers in shards.values():
            keys = [order_key(OrderKey(app_id, number)) for number in numbers]
            answer = self._server.run(_READ_ALL, keys=keys)
            records = answer if isinstance(answer, list) else []
            pairs = zip(numbers, records, strict=True)
            found |= {number: text for number, text in pairs if text is not None}
        return found

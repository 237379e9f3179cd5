"""The orders' rows in DynamoDB: decisions as conditional writes, pages off an index."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kycourier.adapters import due_index
from kycourier.adapters.aws.expressions import Attributes
from kycourier.adapters.aws.items import Item
from kycourier.adapters.aws.store_clock import MARGIN
from kycourier.adapters.aws.table import ENTRY, KEY, PART, TRIES, Table
from kycourier.adapters.instants import to_ticks
from kycourier.core import order as rules
from kycourier.core.errors import StaleOwner, StoreUnavailable, forgetful
from kycourier.core.models import OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import (
    OrderRecord,
    decode_record,
    encode_record,
)
from kycourier.ports import Claim, Cursor, Page

POISON_KEPT = timedelta(days=90)
_NEW: Attributes = {KEY: None}


class DynamoOrderStore:
    """Orders of a table, by the store's clock."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def now(self) -> datetime:
        """Tell the store's clock, aware UTC. Raises StoreUnavailable."""
        return self._table.now()

    @forgetful
    def register(self, draft: OrderRecord) -> Claim:
        """Insert the row, or give the one that is there, not granted.

        Raises StoreUnavailable, NewerSchema.
        """
        if self._write(draft, expected=_NEW):
            return Claim(draft, granted=True)
        there = self.load(draft.key)
        if there is None:
            raise StoreUnavailable("contended")
        return Claim(there, granted=False)

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

        A message's order is mostly new: so it is put in unseen, and the row that is
        there already comes back with the refusal. Raises StoreUnavailable, NewerSchema.
        """
        is_new = urgency is Urgency.NOTIFIED and self._table.has_just_answered()
        there = None if is_new else self.load(draft.key)
        for _ in range(TRIES):
            taken = rules.take(
                there,
                draft,
                owner=owner,
                now=self.now(),
                lease=lease,
                urgency=urgency,
                folder=folder,
                margin=MARGIN,
            )
            if taken is None and there is not None:
                return Claim(there, granted=False)
            record = taken or draft
            in_the_way = self._table.write_or_read(
                _key(record.key),
                _columns(record),
                expected=_as_read(there) if there else _NEW,
            )
            if in_the_way is None:
                return Claim(record, granted=taken is not None)
            there = _read(in_the_way)
        raise StoreUnavailable("contended")

    @forgetful
    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        """Replace the row if version and fence are those of `expected`.

        Raises StaleOwner, StoreUnavailable.
        """
        if not self._write(record, expected=_as_read(expected)):
            raise StaleOwner("order")

    @forgetful
    def load(self, order: OrderKey) -> OrderRecord | None:
        """Read a row, strongly. Raises StoreUnavailable, NewerSchema."""
        there = self._table.load(_key(order))
        return _read(there) if there else None

    @forgetful
    def due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """List rows that are due to be collected or tidied. Raises StoreUnavailable."""
        return self._page(due_index.DUE, app_id, limit, after)

    @forgetful
    def unsent(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """List final rows that are due to be sent. Raises StoreUnavailable."""
        return self._page(due_index.UNSENT, app_id, limit, after)

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        """Count an unusable message, for 90 days since the last: where from and why.

        Raises StoreUnavailable.
        """
        now = self.now()
        self._table.count(
            f"poison/{app_id}/{source}/{problem}",
            first={"first_at": to_ticks(now)},
            latest={
                "last_at": to_ticks(now),
                "expires_at": int((now + POISON_KEPT).timestamp()),
            },
        )

    def _write(self, record: OrderRecord, *, expected: Attributes) -> bool:
        return self._table.write(_key(record.key), _columns(record), expected=expected)

    def _page(self, name: str, app_id: str, limit: int, after: Cursor | None) -> Page:
        def fetch(shard: int, above: str, up_to: str, most: int) -> Sequence[str]:
            part = _part(app_id, name, shard)
            return self._table.entries(part, above=above, up_to=up_to, most=most)

        def load(order_numbers: Sequence[str]) -> dict[str, bytes]:
            keys = {_key(OrderKey(app_id, each)): each for each in order_numbers}
            items = self._table.load_many(list(keys), names=["record"])
            return {
                keys[item.text(KEY) or ""]: item.content("record") or b""
                for item in items
            }

        return due_index.read_page(
            fetch, load, name=name, now=self.now(), limit=limit, after=after
        )


def _key(order: OrderKey) -> str:
    return f"order/{order.app_id}/{order.order_no}"


def _part(app_id: str, name: str, shard: int) -> str:
    return f"{app_id}/{name}/{shard}"


def _read(item: Item) -> OrderRecord | None:
    """Read a row; None where the item has no attributes, so that there is none."""
    return decode_record(item.content("record") or b"") if item.wire else None


def _as_read(record: OrderRecord) -> Attributes:
    return {"version": record.version, "fence": record.fence}


def _columns(record: OrderRecord) -> Attributes:
    """Give the row's attributes; PART and ENTRY, the index's, only while it is due."""
    name = due_index.list_of(record)
    shard = due_index.shard_of(record.order_no)
    return {
        "version": record.version,
        "fence": record.fence,
        "record": encode_record(record),
        PART: None if name is None else _part(record.app_id, name, shard),
        ENTRY: due_index.build_entry(record),
    }

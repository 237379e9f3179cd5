"""Stores the orders' rows in DynamoDB, with conditional writes and an index."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kycourier.adapters.aws.dynamodb.expressions import Attributes
from kycourier.adapters.aws.dynamodb.find_orders import (
    due_part,
    ended_part,
    find_orders,
)
from kycourier.adapters.aws.dynamodb.indexes import (
    ENDED,
    ENTRY,
    FOUND,
    PART,
    list_entries,
)
from kycourier.adapters.aws.dynamodb.items import Item
from kycourier.adapters.aws.dynamodb.table import KEY, MAX_TRIES, Table
from kycourier.adapters.stores import due_index, found_index
from kycourier.adapters.stores.timestamps import to_ticks
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
from kycourier.core.timing import DYNAMODB_CLOCK_MARGIN, POISON_RETENTION

_NEW: Attributes = {KEY: None}


class DynamoOrderStore:
    """Orders in a table, by the store's clock."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def now(self) -> datetime:
        """Returns the store's clock, aware UTC. Raises StoreUnavailableError."""
        return self._table.now()

    @scrub_traceback
    def register(self, draft: OrderRecord) -> Claim:
        """Inserts the row; returns the stored row, not granted, if there is one.

        Raises:
            StoreUnavailableError: DynamoDB failed.
            NewerSchemaError: a newer release wrote the row.
        """
        if self._write(draft, expected=_NEW):
            return Claim(draft, granted=True)
        stored = self.get(draft.key)
        if stored is None:
            raise StoreUnavailableError("contended")
        return Claim(stored, granted=False)

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

        Raises StoreUnavailableError, NewerSchemaError.
        """
        # A message's order is mostly new; if not, the failed condition returns the row.
        skip_read = urgency is Urgency.NOTIFIED and self._table.has_fresh_clock()
        stored = None if skip_read else self.get(draft.key)
        for _ in range(MAX_TRIES):
            claimed = rules.try_claim(
                stored,
                draft,
                owner=owner,
                now=self.now(),
                lease=lease,
                urgency=urgency,
                folder=folder,
                document=document,
                margin=DYNAMODB_CLOCK_MARGIN,
            )
            if claimed is None and stored is not None:
                return Claim(stored, granted=False)
            record = claimed or draft
            conflicting = self._table.write_or_read(
                _key(record.key),
                _attributes(record),
                expected=_version_of(stored) if stored else _NEW,
            )
            if conflicting is None:
                return Claim(record, granted=claimed is not None)
            stored = _decode(conflicting)
        raise StoreUnavailableError("contended")

    @scrub_traceback
    def commit(self, record: OrderRecord, *, expected: OrderRecord) -> None:
        """Replaces the row if version and fence are those of `expected`.

        Raises:
            StaleOwnerError: the row has changed.
            StoreUnavailableError: DynamoDB failed.
        """
        if not self._write(record, expected=_version_of(expected)):
            raise StaleOwnerError("order")

    @scrub_traceback
    def get(self, order: OrderKey) -> OrderRecord | None:
        """Reads a row, consistently. Raises StoreUnavailableError, NewerSchemaError."""
        stored = self._table.get(_key(order))
        return _decode(stored) if stored else None

    @scrub_traceback
    def list_due(self, app_id: str, *, limit: int, after: Cursor | None = None) -> Page:
        """Lists rows that are due to be collected or checked for orphans.

        Raises:
            StoreUnavailableError: DynamoDB failed.
        """
        return self._page(due_index.DUE, app_id, limit, after)

    @scrub_traceback
    def list_unsent(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page:
        """Lists due final rows with unsent events. Raises StoreUnavailableError."""
        return self._page(due_index.UNSENT, app_id, limit, after)

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
            self._table, self._load, app_id, wanted, limit=limit, after=after
        )

    def _load(self, app_id: str, order_numbers: Sequence[str]) -> dict[str, bytes]:
        keys = {_key(OrderKey(app_id, each)): each for each in order_numbers}
        items = self._table.get_many(list(keys), names=["record"])
        return {
            keys[item.text(KEY) or ""]: item.content("record") or b"" for item in items
        }

    def record_poison(self, app_id: str, *, source: str, problem: str) -> None:
        """Counts an unprocessable message by source and problem.

        The count is kept for POISON_RETENTION after the last message.

        Raises:
            StoreUnavailableError: DynamoDB failed.
        """
        now = self.now()
        self._table.count(
            f"poison/{app_id}/{source}/{problem}",
            first={"first_at": to_ticks(now)},
            latest={
                "last_at": to_ticks(now),
                "expires_at": int((now + POISON_RETENTION).timestamp()),
            },
        )

    def _write(self, record: OrderRecord, *, expected: Attributes) -> bool:
        return self._table.write(
            _key(record.key), _attributes(record), expected=expected
        )

    def _page(self, name: str, app_id: str, limit: int, after: Cursor | None) -> Page:
        def fetch(shard: int, above: str, up_to: str, most: int) -> Sequence[str]:
            part = due_part(app_id, name, shard)
            call = self._table.call
            return list_entries(call, part, above=above, up_to=up_to, limit=most)

        return due_index.read_page(
            fetch,
            lambda order_numbers: self._load(app_id, order_numbers),
            name=name,
            now=self.now(),
            limit=limit,
            after=after,
        )


def _key(order: OrderKey) -> str:
    return f"order/{order.app_id}/{order.order_no}"


def _decode(item: Item) -> OrderRecord | None:
    """Decodes a row; None if the item has no attributes, so does not exist."""
    return decode_record(item.content("record") or b"") if item.wire else None


def _version_of(record: OrderRecord) -> Attributes:
    return {"version": record.version, "fence": record.fence}


def _attributes(record: OrderRecord) -> Attributes:
    """Returns a row's attributes.

    PART and ENTRY index it if it is due, ENDED and FOUND if it is final: only the write
    that ends the order adds those.
    """
    is_final = record.state.is_final
    name = due_index.list_of(record)
    shard = due_index.shard_of(record.order_no)
    return {
        "version": record.version,
        "fence": record.fence,
        "record": encode_record(record),
        PART: None if name is None else due_part(record.app_id, name, shard),
        ENTRY: due_index.build_entry(record),
        ENDED: ended_part(record.app_id, record.state.value) if is_final else None,
        FOUND: found_index.build_entry(record) if is_final else None,
    }

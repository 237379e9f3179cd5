"""Each order store with its clock, and access to its rows past the store."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.redis.keys import order_key
from kycourier.adapters.redis.orders import RedisOrderStore
from kycourier.core.documents.registry import Document
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState, OutboxEvent
from kycourier.core.orders.state_machine import Urgency
from kycourier.ports import Claim, OrderStore
from support.aws.dynamo_table import items_of, make_table, open_table
from support.aws.dynamo_table import overwrite as overwrite_item
from support.fakes import START, FakeClock, MemoryOrderStore
from support.rigs.redis_rig import FakeTimeRedisServer, flush, raw_client
from support.sample_records import RESULT

APP = "SANDBOX1"
KEY = OrderKey(APP, "order1")
LEASE = timedelta(seconds=60)
TICK = timedelta(microseconds=1)
EVENT = OutboxEvent(id="e1", type="kycourier.ocr.collected.v1", body='{"id":"e1"}')
SENT = replace(EVENT, sent=True)
NEWER = b'{"schema":2,"order":"of a newer schema"}'
DAMAGED = [b"", b"{", b'{"schema":1}', b'{"schema":1,"app_id":"\xff"}', b"[" * 9999]


class OrderStoreRig(NamedTuple):
    """An order store; `overwrite` replaces a record, `poison` reads kept messages.

    For `margin` after a lease's end no other owner may claim the order.
    """

    store: OrderStore
    clock: FakeClock
    overwrite: Callable[[OrderKey, bytes], None]
    poison: Callable[[], set[tuple[str, str, str]]]
    margin: timedelta = timedelta(0)

    def claim(
        self,
        *,
        owner: str = "one",
        urgency: Urgency = Urgency.NOW,
        folder: str = "2026/01/01/a",
    ) -> Claim:
        return self.store.claim(
            draft(), owner=owner, lease=LEASE, urgency=urgency, folder=folder
        )


def build_memory(_: Path, clock: FakeClock) -> OrderStoreRig:
    store = MemoryOrderStore(clock)

    def overwrite(key: OrderKey, record: bytes) -> None:
        store.rows[key] = store.rows[key]._replace(record=record)

    return OrderStoreRig(store, clock, overwrite, lambda: set(store.poison))


def build_sqlite(folder: Path, clock: FakeClock) -> OrderStoreRig:
    path = folder / "state.db"
    store = SqliteOrderStore(path, clock)

    def overwrite(key: OrderKey, record: bytes) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "UPDATE orders SET record = ? WHERE app_id = ? AND order_no = ?",
                (record, key.app_id, key.order_no),
            )

    def poison() -> set[tuple[str, str, str]]:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT app_id, source, problem FROM poison")
            return set(rows.fetchall())

    return OrderStoreRig(store, clock, overwrite, poison)


def build_dynamodb(url: str, clock: FakeClock) -> OrderStoreRig:
    name = make_table(url)
    store = DynamoOrderStore(open_table(url, name, clock))

    def overwrite(key: OrderKey, record: bytes) -> None:
        overwrite_item(url, name, f"order/{key.app_id}/{key.order_no}", record=record)

    def poison() -> set[tuple[str, str, str]]:
        keys = [key.split("/") for key in items_of(url, name)]
        return {tuple(rest) for kind, *rest in keys if kind == "poison"}

    return OrderStoreRig(store, clock, overwrite, poison, margin=timedelta(seconds=3))


def build_redis(url: str, clock: FakeClock) -> OrderStoreRig:
    client = raw_client(flush(url))

    def overwrite(key: OrderKey, record: bytes) -> None:
        client.hset(order_key(key), "record", record)

    def poison() -> set[tuple[str, str, str]]:
        found = (key.decode().split(":", 4) for key in client.keys("*:poison:*"))
        return {(app.strip("}"), source, why) for _, app, _, source, why in found}

    store = RedisOrderStore(FakeTimeRedisServer(url, clock))
    return OrderStoreRig(store, clock, overwrite, poison)


OPEN_RIG = {
    "memory": build_memory,
    "sqlite": build_sqlite,
    "dynamodb": build_dynamodb,
    "dynalite": build_dynamodb,
    "bench_table": build_dynamodb,
    "redis": build_redis,
}


def draft(order: OrderKey = KEY) -> OrderRecord:
    return rules.draft(
        order,
        document=Document.BANK_CARD,
        now=START,
        ttl=timedelta(hours=48),
        first_sweep=timedelta(minutes=10),
    )


def collected(record: OrderRecord, clock: FakeClock) -> OrderRecord:
    return rules.finish(
        record,
        state=OrderState.COLLECTED,
        reason=None,
        result=RESULT,
        event=EVENT,
        now=clock.now(),
    )

"""The stores of each kind of state on a fake clock, and records past the stores."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from kycourier.adapters.aws.breaker import DynamoBreakerStore
from kycourier.adapters.aws.leases import DynamoLeaseStore
from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier.adapters.aws.tickets import DynamoTicketStore
from kycourier.adapters.local.breaker import SqliteBreakerStore
from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.adapters.redis.keys import app_key, order_key
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.pages import Claim
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState
from kycourier.core.orders.state_machine import Urgency
from kycourier.ports import Stores
from support.aws.dynamo_table import (
    forget_index,
    items_of,
    make_table,
    open_table,
)
from support.aws.dynamo_table import overwrite as overwrite_item
from support.fakes import (
    FakeClock,
    MemoryBreakerStore,
    MemoryLeaseStore,
    MemoryOrderStore,
    MemoryTicketStore,
)
from support.rigs.redis_rig import (
    RedisClientOnFakeClock,
    flush,
    raw_client,
    stores_over,
)
from support.sample_records import APP, EVENT, RESULT, draft

LEASE = timedelta(seconds=60)
NEWER = b'{"schema":2,"order":"of a newer schema"}'
DAMAGED = [b"", b"{", b'{"schema":1}', b'{"schema":1,"app_id":"\xff"}', b"[" * 9999]
DYNAMODB_KINDS = ("dynamodb", "dynalite", "bench_table")


class StateRig(NamedTuple):
    """All stores of one state; the other functions reach past them.

    For `margin_seconds` after a lease's end no other owner may acquire it.
    `forget_index` makes a row as the release before search wrote it, if the store
    keeps such rows.
    """

    stores: Stores
    clock: FakeClock
    overwrite_pair: Callable[[str, bytes], object]
    overwrite_order: Callable[[OrderKey, bytes], object]
    poison: Callable[[], set[tuple[str, str, str]]]
    margin_seconds: int = 0
    forget_index: Callable[[OrderKey], object] | None = None

    def lease(self, owner: str, app_id: str = APP) -> Lease:
        """Acquire an app's refresh lease for 15 seconds."""
        name = refresh_lease(app_id)
        lease = self.stores.leases.acquire(name, owner=owner, seconds=15)
        assert lease is not None
        return lease

    def claim(
        self,
        *,
        owner: str = "one",
        urgency: Urgency = Urgency.NOW,
        folder: str = "2026/01/01/a",
        **changes: object,
    ) -> Claim:
        """Claim the sample order, with changes to its draft."""
        return self.stores.orders.claim(
            draft(**changes), owner=owner, lease=LEASE, urgency=urgency, folder=folder
        )


def open_state_rig(kind: str, location: Any, clock: FakeClock) -> StateRig:
    """Open new stores of a kind in a folder or at an emulator's URL."""
    if kind in DYNAMODB_KINDS:
        return _open_dynamodb(location, clock)
    return {"memory": _open_memory, "sqlite": _open_sqlite, "redis": _open_redis}[kind](
        location, clock
    )


def _open_memory(_: object, clock: FakeClock) -> StateRig:
    leases, orders = MemoryLeaseStore(clock), MemoryOrderStore(clock)
    tickets = MemoryTicketStore(leases)
    stores = Stores(
        tickets=tickets, leases=leases, orders=orders, breakers=MemoryBreakerStore()
    )

    def overwrite_order(key: OrderKey, record: bytes) -> None:
        orders.rows[key] = orders.rows[key]._replace(record=record)

    return StateRig(
        stores,
        clock,
        tickets.records.__setitem__,
        overwrite_order,
        lambda: set(orders.poison),
    )


def _open_sqlite(folder: Path, clock: FakeClock) -> StateRig:
    path = folder / "state.db"

    def run(statement: str, *values: object) -> list[tuple[str, str, str]]:
        with closing(sqlite3.connect(path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    return StateRig(
        Stores(
            tickets=SqliteTicketStore(path),
            leases=SqliteLeaseStore(path, clock),
            orders=SqliteOrderStore(path, clock),
            breakers=SqliteBreakerStore(path),
        ),
        clock,
        lambda app_id, record: run(
            "UPDATE tickets SET record = ? WHERE app_id = ?", record, app_id
        ),
        lambda key, record: run(
            "UPDATE orders SET record = ? WHERE app_id = ? AND order_no = ?",
            record,
            key.app_id,
            key.order_no,
        ),
        lambda: set(run("SELECT app_id, source, problem FROM poison")),
    )


def _open_dynamodb(url: str, clock: FakeClock) -> StateRig:
    name = make_table(url)
    table = open_table(url, name, clock)

    def poison() -> set[tuple[str, str, str]]:
        keys = [key.split("/") for key in items_of(url, name)]
        return {tuple(rest) for kind, *rest in keys if kind == "poison"}

    return StateRig(
        Stores(
            tickets=DynamoTicketStore(table),
            leases=DynamoLeaseStore(table),
            orders=DynamoOrderStore(table),
            breakers=DynamoBreakerStore(table),
        ),
        clock,
        lambda app_id, record: overwrite_item(
            url, name, f"lease/refresh/{app_id}", pair=record
        ),
        lambda key, record: overwrite_item(
            url, name, f"order/{key.app_id}/{key.order_no}", record=record
        ),
        poison,
        margin_seconds=3,
        forget_index=lambda key: forget_index(url, name, key),
    )


def _open_redis(url: str, clock: FakeClock) -> StateRig:
    client = raw_client(flush(url))

    def poison() -> set[tuple[str, str, str]]:
        found = (key.decode().split(":", 4) for key in client.keys("*:poison:*"))
        return {(app.strip("}"), source, why) for _, app, _, source, why in found}

    def forget(key: OrderKey) -> None:
        client.hdel(order_key(key), "found")
        for name in client.keys("*:found:*"):
            for entry in client.zrange(name, 0, -1):
                if entry.decode().endswith(f"/{key.order_no}"):
                    client.zrem(name, entry)

    return StateRig(
        stores_over(RedisClientOnFakeClock(url, clock)),
        clock,
        lambda app_id, record: client.hset(app_key(app_id, "ticket"), "record", record),
        lambda key, record: client.hset(order_key(key), "record", record),
        poison,
        forget_index=forget,
    )


def collected(record: OrderRecord, clock: FakeClock) -> OrderRecord:
    """Return the order as collected now, with an event to publish."""
    return rules.finish(
        record,
        state=OrderState.COLLECTED,
        reason=None,
        result=RESULT,
        event=EVENT,
        now=clock.now(),
    )

"""The contract of TicketStore, run on every implementation."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest

from kycourier.adapters.aws.leases import DynamoLeaseStore
from kycourier.adapters.aws.tickets import DynamoTicketStore
from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.adapters.redis.keys import app_key
from kycourier.adapters.redis.leases import RedisLeaseStore
from kycourier.adapters.redis.tickets import RedisTicketStore
from kycourier.core.errors import (
    NewerSchemaError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.redaction import Secret
from kycourier.core.tickets.pair import TicketPair
from kycourier.ports import LeaseStore, TicketStore
from support.aws.dynamo_table import make_table, open_table
from support.aws.dynamo_table import overwrite as overwrite_item
from support.fakes import FakeClock, MemoryLeaseStore, MemoryTicketStore
from support.rigs.redis_rig import FakeTimeRedisServer, flush, raw_client

APP = "SANDBOX1"


class TicketStoreRig(NamedTuple):
    """A ticket store and its leases; `overwrite` replaces a stored record.

    For `margin` seconds after a lease's end no other owner may acquire it.
    """

    tickets: TicketStore
    leases: LeaseStore
    overwrite: Callable[[str, bytes], None]
    margin: int = 0

    def lease(self, owner: str, app_id: str = APP) -> Lease:
        lease = self.leases.acquire(refresh_lease(app_id), owner=owner, seconds=15)
        assert lease is not None
        return lease


def build_memory(_: Path, clock: FakeClock) -> TicketStoreRig:
    leases = MemoryLeaseStore(clock)
    tickets = MemoryTicketStore(leases)
    return TicketStoreRig(tickets, leases, tickets.records.__setitem__)


def build_sqlite(folder: Path, clock: FakeClock) -> TicketStoreRig:
    path = folder / "state.db"

    def overwrite(app_id: str, record: bytes) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "UPDATE tickets SET record = ? WHERE app_id = ?", (record, app_id)
            )

    return TicketStoreRig(
        SqliteTicketStore(path), SqliteLeaseStore(path, clock), overwrite
    )


def build_dynamodb(url: str, clock: FakeClock) -> TicketStoreRig:
    name = make_table(url)
    table = open_table(url, name, clock)

    def overwrite(app_id: str, record: bytes) -> None:
        overwrite_item(url, name, f"lease/refresh/{app_id}", pair=record)

    return TicketStoreRig(
        DynamoTicketStore(table), DynamoLeaseStore(table), overwrite, margin=3
    )


def build_redis(url: str, clock: FakeClock) -> TicketStoreRig:
    server = FakeTimeRedisServer(flush(url), clock)

    def overwrite(app_id: str, record: bytes) -> None:
        raw_client(url).hset(app_key(app_id, "ticket"), "record", record)

    return TicketStoreRig(RedisTicketStore(server), RedisLeaseStore(server), overwrite)


BUILD = {
    "memory": build_memory,
    "sqlite": build_sqlite,
    "dynamodb": build_dynamodb,
    "dynalite": build_dynamodb,
    "bench_table": build_dynamodb,
    "redis": build_redis,
}


@pytest.fixture
def rig(kind: str, location: Path | str, clock: FakeClock) -> TicketStoreRig:
    return BUILD[kind](location, clock)


def pair(generation: int, ticket: str = "ticket") -> TicketPair:
    return TicketPair(
        generation=generation,
        obtained_at=datetime(2026, 1, 1, 8, 30, 0, 123456, timezone.utc),
        expires_in=timedelta(seconds=3600.5),
        token=Secret("token"),
        ticket=Secret(ticket),
    )


def test_store_is_empty_at_first(rig):
    assert rig.tickets.get(APP) is None


def test_saved_pair_is_read_back_whole(rig):
    rig.tickets.put(APP, pair(1), expected_generation=0, lease=rig.lease("one"))

    assert rig.tickets.get(APP) == pair(1)


def test_next_generation_replaces_the_expected_one(rig):
    lease = rig.lease("one")
    rig.tickets.put(APP, pair(1), expected_generation=0, lease=lease)
    rig.tickets.put(APP, pair(2, "next"), expected_generation=1, lease=lease)

    assert rig.tickets.get(APP) == pair(2, "next")


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_save_over_another_generation_is_rejected_unchanged(rig, expected):
    lease = rig.lease("one")
    rig.tickets.put(APP, pair(1), expected_generation=0, lease=lease)
    rig.tickets.put(APP, pair(2), expected_generation=1, lease=lease)

    with pytest.raises(StaleOwnerError):
        rig.tickets.put(APP, pair(4, "x"), expected_generation=expected, lease=lease)

    assert rig.tickets.get(APP) == pair(2)


def test_first_save_that_expects_a_generation_is_rejected(rig):
    with pytest.raises(StaleOwnerError):
        rig.tickets.put(APP, pair(2), expected_generation=1, lease=rig.lease("one"))

    assert rig.tickets.get(APP) is None


def test_replaced_holder_cannot_save_but_the_new_one_can(rig, clock):
    paused = rig.lease("one")
    clock.sleep(15 + rig.margin)
    later = rig.lease("two")

    with pytest.raises(StaleOwnerError):
        rig.tickets.put(APP, pair(1, "late"), expected_generation=0, lease=paused)
    rig.tickets.put(APP, pair(1, "good"), expected_generation=0, lease=later)

    assert rig.tickets.get(APP) == pair(1, "good")


def test_replaced_holder_cannot_save_after_the_new_holders_release(rig, clock):
    paused = rig.lease("one")
    clock.sleep(15 + rig.margin)
    rig.leases.release(refresh_lease(APP), lease=rig.lease("two"))

    with pytest.raises(StaleOwnerError):
        rig.tickets.put(APP, pair(1), expected_generation=0, lease=paused)


def test_ended_lease_without_a_successor_may_save(rig, clock):
    lease = rig.lease("one")
    clock.sleep(60)

    rig.tickets.put(APP, pair(1), expected_generation=0, lease=lease)

    assert rig.tickets.get(APP) == pair(1)


def test_pair_survives_a_change_of_lease_holder(rig, clock):
    rig.tickets.put(APP, pair(1), expected_generation=0, lease=rig.lease("one"))
    clock.sleep(15 + rig.margin)
    rig.leases.release(refresh_lease(APP), lease=rig.lease("two"))

    later = rig.lease("three")

    assert rig.tickets.get(APP) == pair(1)
    rig.tickets.put(APP, pair(2), expected_generation=1, lease=later)
    assert rig.tickets.get(APP) == pair(2)


def test_unknown_lease_cannot_save(rig, clock):
    invented = Lease(owner="one", fence=7, seen_at=clock.now(), ends_at=clock.now())

    with pytest.raises(StaleOwnerError):
        rig.tickets.put(APP, pair(1), expected_generation=0, lease=invented)


def test_apps_have_separate_pairs_and_fences(rig, clock):
    mine = rig.lease("one")
    for _ in range(3):
        rig.lease("one", "SANDBOX2")
        clock.sleep(15)

    rig.tickets.put(APP, pair(1), expected_generation=0, lease=mine)

    assert rig.tickets.get("SANDBOX2") is None


def test_one_of_many_concurrent_saves_wins(rig, at_once):
    lease = rig.lease("one")

    def save(worker: int) -> str | None:
        ticket = f"ticket{worker}"
        try:
            rig.tickets.put(APP, pair(1, ticket), expected_generation=0, lease=lease)
        except StaleOwnerError:
            return None
        return ticket

    saved = [ticket for ticket in at_once(save) if ticket]

    assert [rig.tickets.get(APP)] == [pair(1, ticket) for ticket in saved]


def test_pair_of_a_newer_schema_is_an_error(rig):
    rig.tickets.put(APP, pair(1), expected_generation=0, lease=rig.lease("one"))
    rig.overwrite(APP, b'{"schema":2,"wrapped":"somehow else"}')

    with pytest.raises(NewerSchemaError):
        rig.tickets.get(APP)


@pytest.mark.parametrize("record", [b"", b"{", b'{"schema":1}', b'{"schema":"\xff"}'])
def test_damaged_pair_is_store_unavailable(rig, record):
    rig.tickets.put(APP, pair(1), expected_generation=0, lease=rig.lease("one"))
    rig.overwrite(APP, record)

    with pytest.raises(StoreUnavailableError) as failure:
        rig.tickets.get(APP)

    assert failure.value.__context__ is None

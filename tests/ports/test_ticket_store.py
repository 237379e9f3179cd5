"""The contract of TicketStore, held to by every implementation."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest

from aws.table import make_table, open_held
from aws.table import overwrite as spoil
from fakes import FakeClock, MemoryLeaseStore, MemoryTicketStore
from kycourier.adapters.aws.leases import DynamoLeaseStore
from kycourier.adapters.aws.tickets import DynamoTicketStore
from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.adapters.redis.keys import app_key
from kycourier.adapters.redis.leases import RedisLeaseStore
from kycourier.adapters.redis.tickets import RedisTicketStore
from kycourier.core.errors import NewerSchema, StaleOwner, StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.models import Lease
from kycourier.core.ticket import TicketPair, refresh_lease
from kycourier.ports import LeaseStore, TicketStore
from redis_bench import ServerOnFakeTime, empty, look_into

APP = "SANDBOX1"


class Bench(NamedTuple):
    """A ticket store, its leases, and a way to spoil what is stored.

    `margin` is how many seconds after a lease's end nobody else may take it yet.
    """

    tickets: TicketStore
    leases: LeaseStore
    overwrite: Callable[[str, bytes], None]
    margin: int = 0

    def lease(self, owner: str, app_id: str = APP) -> Lease:
        lease = self.leases.acquire(refresh_lease(app_id), owner=owner, seconds=15)
        assert lease is not None
        return lease


def build_memory(_: Path, clock: FakeClock) -> Bench:
    leases = MemoryLeaseStore(clock)
    tickets = MemoryTicketStore(leases)
    return Bench(tickets, leases, tickets.records.__setitem__)


def build_sqlite(folder: Path, clock: FakeClock) -> Bench:
    path = folder / "state.db"

    def overwrite(app_id: str, record: bytes) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(
                "UPDATE tickets SET record = ? WHERE app_id = ?", (record, app_id)
            )

    return Bench(SqliteTicketStore(path), SqliteLeaseStore(path, clock), overwrite)


def build_dynamodb(url: str, clock: FakeClock) -> Bench:
    name = make_table(url)
    table = open_held(url, name, clock)

    def overwrite(app_id: str, record: bytes) -> None:
        spoil(url, name, f"lease/refresh/{app_id}", pair=record)

    return Bench(DynamoTicketStore(table), DynamoLeaseStore(table), overwrite, margin=3)


def build_redis(url: str, clock: FakeClock) -> Bench:
    server = ServerOnFakeTime(empty(url), clock)

    def overwrite(app_id: str, record: bytes) -> None:
        look_into(url).hset(app_key(app_id, "ticket"), "record", record)

    return Bench(RedisTicketStore(server), RedisLeaseStore(server), overwrite)


BUILD = {
    "memory": build_memory,
    "sqlite": build_sqlite,
    "dynamodb": build_dynamodb,
    "dynalite": build_dynamodb,
    "bench_table": build_dynamodb,
    "redis": build_redis,
}


@pytest.fixture
def bench(kind: str, place: Path | str, clock: FakeClock) -> Bench:
    return BUILD[kind](place, clock)


def pair(generation: int, ticket: str = "ticket") -> TicketPair:
    return TicketPair(
        generation=generation,
        obtained_at=datetime(2026, 1, 1, 8, 30, 0, 123456, timezone.utc),
        expires_in=timedelta(seconds=3600.5),
        token=Secret("token"),
        ticket=Secret(ticket),
    )


def test_there_is_no_pair_at_first(bench):
    assert bench.tickets.load(APP) is None


def test_saved_pair_is_read_back_whole(bench):
    bench.tickets.save(APP, pair(1), expected_generation=0, lease=bench.lease("one"))

    assert bench.tickets.load(APP) == pair(1)


def test_next_generation_replaces_the_expected_one(bench):
    lease = bench.lease("one")
    bench.tickets.save(APP, pair(1), expected_generation=0, lease=lease)
    bench.tickets.save(APP, pair(2, "next"), expected_generation=1, lease=lease)

    assert bench.tickets.load(APP) == pair(2, "next")


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_save_over_another_generation_is_refused_and_the_pair_stands(bench, expected):
    lease = bench.lease("one")
    bench.tickets.save(APP, pair(1), expected_generation=0, lease=lease)
    bench.tickets.save(APP, pair(2), expected_generation=1, lease=lease)

    with pytest.raises(StaleOwner):
        bench.tickets.save(APP, pair(4, "x"), expected_generation=expected, lease=lease)

    assert bench.tickets.load(APP) == pair(2)


def test_first_save_that_expects_an_earlier_pair_is_refused(bench):
    with pytest.raises(StaleOwner):
        bench.tickets.save(
            APP, pair(2), expected_generation=1, lease=bench.lease("one")
        )

    assert bench.tickets.load(APP) is None


def test_holder_that_was_replaced_saves_nothing_and_the_new_one_saves(bench, clock):
    paused = bench.lease("one")
    clock.sleep(15 + bench.margin)
    later = bench.lease("two")

    with pytest.raises(StaleOwner):
        bench.tickets.save(APP, pair(1, "late"), expected_generation=0, lease=paused)
    bench.tickets.save(APP, pair(1, "good"), expected_generation=0, lease=later)

    assert bench.tickets.load(APP) == pair(1, "good")


def test_replaced_holder_saves_nothing_also_after_the_new_ones_release(bench, clock):
    paused = bench.lease("one")
    clock.sleep(15 + bench.margin)
    bench.leases.release(refresh_lease(APP), lease=bench.lease("two"))

    with pytest.raises(StaleOwner):
        bench.tickets.save(APP, pair(1), expected_generation=0, lease=paused)


def test_ended_lease_that_nobody_took_still_has_the_highest_fence(bench, clock):
    lease = bench.lease("one")
    clock.sleep(60)

    bench.tickets.save(APP, pair(1), expected_generation=0, lease=lease)

    assert bench.tickets.load(APP) == pair(1)


def test_pair_stays_while_its_lease_changes_hands(bench, clock):
    bench.tickets.save(APP, pair(1), expected_generation=0, lease=bench.lease("one"))
    clock.sleep(15 + bench.margin)
    bench.leases.release(refresh_lease(APP), lease=bench.lease("two"))

    later = bench.lease("three")

    assert bench.tickets.load(APP) == pair(1)
    bench.tickets.save(APP, pair(2), expected_generation=1, lease=later)
    assert bench.tickets.load(APP) == pair(2)


def test_lease_that_the_store_never_gave_saves_nothing(bench, clock):
    invented = Lease(owner="one", fence=7, seen_at=clock.now(), ends_at=clock.now())

    with pytest.raises(StaleOwner):
        bench.tickets.save(APP, pair(1), expected_generation=0, lease=invented)


def test_apps_have_their_own_pairs_and_fences(bench, clock):
    mine = bench.lease("one")
    for _ in range(3):
        bench.lease("one", "SANDBOX2")
        clock.sleep(15)

    bench.tickets.save(APP, pair(1), expected_generation=0, lease=mine)

    assert bench.tickets.load("SANDBOX2") is None


def test_one_of_many_saves_of_a_generation_wins(bench, at_once):
    lease = bench.lease("one")

    def save(worker: int) -> str | None:
        ticket = f"ticket{worker}"
        try:
            bench.tickets.save(APP, pair(1, ticket), expected_generation=0, lease=lease)
        except StaleOwner:
            return None
        return ticket

    saved = [ticket for ticket in at_once(save) if ticket]

    assert [bench.tickets.load(APP)] == [pair(1, ticket) for ticket in saved]


def test_pair_of_a_newer_release_is_left_alone(bench):
    bench.tickets.save(APP, pair(1), expected_generation=0, lease=bench.lease("one"))
    bench.overwrite(APP, b'{"schema":2,"wrapped":"somehow else"}')

    with pytest.raises(NewerSchema):
        bench.tickets.load(APP)


@pytest.mark.parametrize("record", [b"", b"{", b'{"schema":1}', b'{"schema":"\xff"}'])
def test_damaged_pair_is_the_stores_failure_and_shows_nothing(bench, record):
    bench.tickets.save(APP, pair(1), expected_generation=0, lease=bench.lease("one"))
    bench.overwrite(APP, record)

    with pytest.raises(StoreUnavailable) as failure:
        bench.tickets.load(APP)

    assert failure.value.__context__ is None

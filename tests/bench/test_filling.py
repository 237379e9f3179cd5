"""A store filled at once is, row for row, what its adapter would have written."""

import sqlite3
from contextlib import closing
from datetime import datetime, timezone

import pytest
from bench.filling.asked import Asked
from bench.filling.dynamodb import fill_dynamodb
from bench.filling.orders import SHARES, make_orders
from bench.filling.redis import fill_redis
from bench.filling.sqlite import fill_sqlite
from bench.processes import BenchFailed
from bench.stand_in import start_stand_in

from aws.access import aws_environ
from aws.table import items_of
from kycourier.adapters import places
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.system import SystemClock
from kycourier.core.order_record import Need, OrderRecord
from kycourier.setting_forms import Place
from kycourier_devkit.stand_ins.servers import find_free_port, start_redis_node
from redis_bench import dump
from stand_ins import or_skip

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
RECORDS = list(make_orders(SHARES, now=NOW))


def write(place: Place, records: list[OrderRecord], environ=None) -> None:
    """Write rows as the adapter does: each over a row that is there."""
    around = Surroundings(clock=SystemClock(), environ=environ or {})
    orders = places.open_state(place, around).orders
    for record in records:
        draft = orders.register(
            OrderRecord(
                app_id=record.app_id,
                order_no=record.order_no,
                registered_at=NOW,
                updated_at=NOW,
                deadline_at=NOW,
            )
        ).record
        orders.commit(record, expected=draft)


def rows_of(path) -> list[tuple]:
    with closing(sqlite3.connect(path)) as file:
        query = "SELECT *, typeof(record) FROM orders ORDER BY order_no"
        return file.execute(query).fetchall()


def test_shares_are_one_due_one_unsent_and_one_for_later():
    due = [each for each in RECORDS if each.due_at and each.due_at <= NOW]
    later = [each for each in RECORDS if each.due_at and each.due_at > NOW]

    assert [each.need for each in due] == [Need.COLLECT, Need.SEND]
    assert [each.need for each in later] == [Need.COLLECT]
    assert len({each.order_no for each in RECORDS}) == SHARES


def test_due_times_are_all_different_and_not_in_the_order_of_the_numbers():
    records = make_orders(1000, now=NOW)
    times = [each.due_at for each in records if each.due_at and each.due_at <= NOW]

    assert len(set(times)) == len(times) == 200
    assert times != sorted(times)


def test_sqlite_rows_are_as_its_adapter_writes_them(tmp_path):
    fill_sqlite(tmp_path / "filled.db", RECORDS)
    write(Place("sqlite", f"/{tmp_path}/written.db"), RECORDS)

    filled = rows_of(tmp_path / "filled.db")
    assert filled == rows_of(tmp_path / "written.db")
    assert len(filled) == SHARES


def test_store_that_was_not_filled_is_not_measured(tmp_path):
    with pytest.raises(BenchFailed, match="not filled"):
        Asked(Place("sqlite", f"/{tmp_path}/state.db"), {}, size=1)


@pytest.mark.slow
@pytest.mark.enable_socket
def test_redis_holds_what_its_adapter_writes(tmp_path):
    port = find_free_port()
    with or_skip(start_redis_node(tmp_path, port=port)):
        fill_redis(port, 0, RECORDS)
        write(Place("redis", f"127.0.0.1:{port}/1"), RECORDS)

        filled, written = (dump(f"redis://127.0.0.1:{port}/{at}") for at in (0, 1))
    assert filled == written
    assert len(filled) > SHARES


@pytest.mark.slow
@pytest.mark.enable_socket
def test_table_holds_what_its_adapter_writes(tmp_path):
    with start_stand_in("services", folder=tmp_path) as services:
        fill_dynamodb(services, "filled", RECORDS)
        environ = aws_environ(services.url)
        write(Place("dynamodb", "written"), RECORDS, environ)

        filled, written = (
            items_of(services.url, name) for name in ("filled", "written")
        )
    for item in [*filled.values(), *written.values()]:
        assert len(item.pop("writer")["S"]) == 32
    assert filled == written
    assert len(filled) == SHARES

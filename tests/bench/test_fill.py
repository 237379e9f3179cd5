"""Filled stores contain the rows that their adapters write."""

import sqlite3
from contextlib import closing
from datetime import datetime, timezone

import pytest
from bench.environment.emulator_process import start_emulator
from bench.fill.dynamodb import fill_dynamodb
from bench.fill.orders import SHARES, make_orders
from bench.fill.redis import fill_redis
from bench.fill.sqlite import fill_sqlite

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.system import SystemClock
from kycourier.core.orders.record import OrderRecord
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.emulators.servers import find_free_port, start_redis_node
from support.aws.clients import aws_environ
from support.aws.dynamo_table import items_of
from support.rigs.redis_rig import dump_redis
from support.servers.emulators import start_or_skip

NOW = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
RECORDS = list(make_orders(SHARES, now=NOW))


def write(url: ResourceUrl, records: list[OrderRecord], environ=None) -> None:
    """Register each row and commit it, as the adapter does."""
    context = AdapterContext(clock=SystemClock(), environ=environ or {})
    orders = registry.open_stores(url, context).orders
    for record in records:
        draft = orders.register(
            OrderRecord(
                app_id=record.app_id,
                order_no=record.order_no,
                registered_at=record.registered_at,
                updated_at=NOW,
                deadline_at=NOW,
            )
        ).record
        orders.commit(record, expected=draft)


def test_sqlite_has_rows_of_its_adapter(tmp_path):
    fill_sqlite(tmp_path / "filled.db", RECORDS)
    write(ResourceUrl("sqlite", f"/{tmp_path}/written.db"), RECORDS)

    tables = []
    for name in ("filled.db", "written.db"):
        with closing(sqlite3.connect(tmp_path / name)) as file:
            query = "SELECT *, typeof(record) FROM orders ORDER BY order_no"
            tables.append(file.execute(query).fetchall())
    assert tables[0] == tables[1]
    assert len(tables[0]) == SHARES


@pytest.mark.slow
@pytest.mark.enable_socket
def test_redis_has_keys_of_its_adapter(tmp_path):
    port = find_free_port()
    with start_or_skip(start_redis_node(tmp_path, port=port)):
        fill_redis(port, 0, RECORDS)
        write(ResourceUrl("redis", f"127.0.0.1:{port}/1"), RECORDS)

        filled, written = (
            dump_redis(f"redis://127.0.0.1:{port}/{at}") for at in (0, 1)
        )
    assert filled == written
    assert len(filled) > SHARES


@pytest.mark.slow
@pytest.mark.enable_socket
def test_table_has_items_of_its_adapter(tmp_path):
    with start_emulator("aws_services", folder=tmp_path) as services:
        fill_dynamodb(services, "filled", RECORDS)
        environ = aws_environ(services.url)
        write(ResourceUrl("dynamodb", "written"), RECORDS, environ)

        filled, written = (
            items_of(services.url, name) for name in ("filled", "written")
        )
    for item in [*filled.values(), *written.values()]:
        assert len(item.pop("writer")["S"]) == 32
    assert filled == written
    assert len(filled) == SHARES

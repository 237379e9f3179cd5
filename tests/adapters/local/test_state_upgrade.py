"""State files that earlier releases wrote are upgraded when they are opened."""

import gc
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kycourier.adapters.local import schema
from kycourier.adapters.local.breaker import SqliteBreakerStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders.pages import OrderFilter
from kycourier.core.orders.record import OrderKey, OrderState
from support.fakes import START, FakeClock
from support.rigs.local_rig import read_pragma
from support.sample_records import APP, draft

FILES = Path(__file__).parents[2] / "data/state_files"
OPEN = """
import sys
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.system import SystemClock
from kycourier.core.orders.pages import OrderFilter
sys.stdin.read(1)
store = SqliteOrderStore(sys.argv[1], SystemClock())
page = store.find("SANDBOX1", OrderFilter(), limit=9, after=None)
print(*(row.order_no for row in page.records))
"""
NEWEST_FIRST = ["open1", "tidy1", "held1", "done1"]


@pytest.fixture(params=["first_version.sql", "schema_1.sql"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a state file with four orders, as an earlier release wrote it."""
    written = tmp_path / "state.db"
    with closing(sqlite3.connect(written)) as connection:
        connection.executescript((FILES / request.param).read_text("utf-8"))
    return written


def open_store(path: Path, now=START) -> SqliteOrderStore:
    return SqliteOrderStore(path, FakeClock(now))


def find(store: SqliteOrderStore, **wanted: object) -> list[str]:
    page = store.find(APP, OrderFilter(**wanted), limit=9, after=None)
    return [row.order_no for row in page.records]


def columns(path: Path) -> list[tuple[str, ...]]:
    """Return name, type and constraints of every column and the text of indices."""
    with closing(sqlite3.connect(path)) as connection:
        return [
            *connection.execute(
                "SELECT name, type, \"notnull\", pk FROM pragma_table_info('orders')"
            ),
            *connection.execute(
                "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"
                " ORDER BY name"
            ),
        ]


def test_orders_of_an_earlier_file_are_found_by_state_and_time(path):
    store = open_store(path)

    assert find(store) == NEWEST_FIRST
    assert find(store, state=OrderState.COLLECTED) == ["tidy1", "done1"]
    assert find(store, state=OrderState.COLLECTING) == ["held1"]
    assert find(store, since=store.get(OrderKey(APP, "open1")).registered_at) == [
        "open1"
    ]


def test_due_orders_and_unsent_events_of_an_earlier_file_are_listed(path):
    store = SqliteOrderStore(path, clock := FakeClock())
    clock.sleep(60)

    due, unsent = (
        [row.order_no for row in listing(APP, limit=9).records]
        for listing in (store.list_due, store.list_unsent)
    )

    assert (due, unsent) == (["open1", "held1"], ["done1"])
    assert SqliteBreakerStore(path).get(APP).openings == 0


def test_upgraded_file_equals_a_new_one_and_is_upgraded_once(path, tmp_path):
    open_store(path)
    open_store(tmp_path / "new.db").register(draft())

    assert columns(path) == columns(tmp_path / "new.db")
    assert read_pragma(path, "user_version") == schema.SCHEMA
    assert find(open_store(path)) == NEWEST_FIRST


def test_unreadable_row_of_an_earlier_file_is_kept_and_counted(path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE orders SET record = '{' WHERE order_no = 'done1'")

    page = open_store(path).find(APP, OrderFilter(), limit=9, after=None)

    assert [row.order_no for row in page.records] == NEWEST_FIRST[:-1]
    assert page.unreadable == 1


def test_failed_upgrade_leaves_the_file_unchanged(path, monkeypatch):
    before = columns(path)
    monkeypatch.setattr(schema, "TABLES", f"{schema.TABLES}; CREATE NOTHING")

    with pytest.raises(StoreUnavailableError):
        open_store(path)
    gc.collect()

    assert columns(path) == before
    assert read_pragma(path, "user_version") == 1
    monkeypatch.undo()
    assert find(open_store(path)) == NEWEST_FIRST


@pytest.mark.slow
def test_processes_that_open_an_earlier_file_at_once_upgrade_it_once(path):
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        worker.stdin.write("x")
        worker.stdin.flush()

    outputs = [worker.communicate()[0].split() for worker in workers]

    assert outputs == [NEWEST_FIRST] * 4
    assert [worker.returncode for worker in workers] == [0] * 4

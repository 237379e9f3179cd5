"""Bad files stop the SQLite stores' start or raise our errors, without a path."""

import gc
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kycourier.adapters.local.breaker import SqliteBreakerStore
from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.queue import SqliteWorkQueue
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from support.fakes import FakeClock
from support.rigs.local_rig import file_mode, read_pragma
from support.sample_records import draft

pytestmark = pytest.mark.slow

APP = "SANDBOX1"
CLOCK = FakeClock()
STORES: dict[str, Callable[[Path], object]] = {
    "tickets": SqliteTicketStore,
    "leases": lambda path: SqliteLeaseStore(path, CLOCK),
    "orders": lambda path: SqliteOrderStore(path, CLOCK),
    "breakers": SqliteBreakerStore,
    "queue": lambda path: SqliteWorkQueue(path, CLOCK),
}
every_store = pytest.mark.parametrize("build", STORES.values(), ids=STORES)


def hides_path(failure: BaseException, path: Path) -> bool:
    shown = f"{failure!r} {failure}"
    return failure.__context__ is None and str(path.parent) not in shown


@every_store
def test_path_below_a_file_stops_the_start(tmp_path, build):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "below" / "state.db"

    with pytest.raises(StoreUnavailableError) as failure:
        build(path)

    assert hides_path(failure.value, path)


@every_store
def test_folder_at_the_path_stops_the_start_unchanged(tmp_path, build):
    path = tmp_path / "state.db"
    path.mkdir(mode=0o755)
    path.chmod(0o755)

    with pytest.raises(StoreUnavailableError) as failure:
        build(path)

    assert hides_path(failure.value, path)
    assert file_mode(path) == 0o755


@every_store
def test_foreign_file_stops_the_start_unchanged(tmp_path, build):
    path = tmp_path / "state.db"
    path.write_text("notes of mine\n" * 1000)

    with pytest.raises(StoreUnavailableError) as failure:
        build(path)

    assert hides_path(failure.value, path)
    assert path.read_text() == "notes of mine\n" * 1000


@every_store
def test_newer_schema_stops_the_start_unchanged(tmp_path, build):
    path = tmp_path / "state.db"
    build(path)
    gc.collect()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")

    with pytest.raises(NewerSchemaError) as failure:
        build(path)

    assert hides_path(failure.value, path)
    assert read_pragma(path, "user_version") == 2


def test_damaged_pages_are_store_unavailable(tmp_path):
    path = tmp_path / "state.db"
    store = SqliteOrderStore(path, CLOCK)
    for number in range(50):
        store.register(draft(f"order{number}"))
    del store
    gc.collect()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    path.write_bytes(content)
    store = SqliteOrderStore(path, CLOCK)

    for attempt in (
        lambda: store.get(draft().key),
        lambda: store.register(draft()),
        lambda: store.list_due(APP, limit=10),
    ):
        with pytest.raises(StoreUnavailableError) as failure:
            attempt()
        assert hides_path(failure.value, path)


def test_removed_file_is_store_unavailable(tmp_path):
    path = tmp_path / "state.db"
    store = SqliteOrderStore(path, CLOCK)
    store.register(draft())
    path.unlink()

    for attempt in (lambda: store.get(draft().key), lambda: store.register(draft())):
        with pytest.raises(StoreUnavailableError) as failure:
            attempt()
        assert hides_path(failure.value, path)
    assert not path.exists()


def test_replaced_file_is_used_next(tmp_path):
    path = tmp_path / "state.db"
    early = SqliteLeaseStore(path, CLOCK)
    early.acquire("refresh/A", owner="early", seconds=60)
    for file in tmp_path.iterdir():
        file.unlink()
    SqliteLeaseStore(path, CLOCK).acquire("refresh/A", owner="new", seconds=60)

    assert early.acquire("refresh/A", owner="early", seconds=60) is None

"""Bad files stop the SQLite stores' start or raise our errors, without a path."""

import gc
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.queue import SqliteWorkQueue
from kycourier.core.errors import NewerSchemaError, StoreUnavailableError
from support.fakes import FakeClock
from support.rigs.local_rig import file_mode, read_pragma
from support.sample_records import APP, draft

pytestmark = pytest.mark.slow

CLOCK = FakeClock()
STORES = {"state": SqliteOrderStore, "queue": SqliteWorkQueue}
FOREIGN_TEXT = "notes of mine\n" * 1000


def assert_fails(
    work: Callable[[], object],
    folder: Path,
    error: type[Exception] = StoreUnavailableError,
) -> None:
    """Check that a call fails without the path and without another error."""
    with pytest.raises(error) as failure:
        work()
    assert failure.value.__context__ is None
    assert str(folder) not in f"{failure.value!r} {failure.value}"


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_unusable_path_stops_the_start_unchanged(tmp_path, store):
    folder, foreign = tmp_path / "folder", tmp_path / "foreign"
    folder.mkdir()
    folder.chmod(0o755)
    foreign.write_text(FOREIGN_TEXT)

    for path in (folder, foreign, foreign / "below" / "state.db"):
        assert_fails(lambda path=path: store(path, CLOCK), tmp_path)

    assert file_mode(folder) == 0o755
    assert foreign.read_text() == FOREIGN_TEXT


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_newer_schema_stops_the_start_unchanged(tmp_path, store):
    path = tmp_path / "state.db"
    store(path, CLOCK)
    gc.collect()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9")

    assert_fails(lambda: store(path, CLOCK), tmp_path, NewerSchemaError)

    assert read_pragma(path, "user_version") == 9


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

    assert_fails(lambda: store.get(draft().key), tmp_path)
    assert_fails(lambda: store.register(draft()), tmp_path)
    assert_fails(lambda: store.list_due(APP, limit=10), tmp_path)


def test_removed_file_is_store_unavailable(tmp_path):
    path = tmp_path / "state.db"
    store = SqliteOrderStore(path, CLOCK)
    store.register(draft())
    path.unlink()

    assert_fails(lambda: store.get(draft().key), tmp_path)
    assert_fails(lambda: store.register(draft()), tmp_path)
    assert not path.exists()


def test_replaced_file_is_used_next(tmp_path):
    path = tmp_path / "state.db"
    early = SqliteLeaseStore(path, CLOCK)
    early.acquire("refresh/A", owner="early", seconds=60)
    for file in tmp_path.iterdir():
        file.unlink()
    SqliteLeaseStore(path, CLOCK).acquire("refresh/A", owner="new", seconds=60)

    assert early.acquire("refresh/A", owner="early", seconds=60) is None

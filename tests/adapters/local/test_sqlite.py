"""File modes, WAL, flushes and transactions of the SQLite stores."""

import gc
import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from kycourier.adapters.local import sqlite
from kycourier.adapters.local.breaker import SqliteBreakerStore
from kycourier.adapters.local.files import locked_folder
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.schema import open_stores
from kycourier.adapters.local.sqlite import SqliteFile
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders import follow_up
from support.fakes import FakeClock
from support.rigs.local_rig import file_mode, read_pragma
from support.sample_records import APP, claim, draft, settled
from support.spies import spy_on_fsync

CLOCK = FakeClock()
THREADS = 12


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def file(path: Path) -> SqliteFile:
    return open_stores(path)


# files


@pytest.mark.usefixtures("umask")
def test_files_are_for_the_owner_only(tmp_path):
    path = tmp_path / "made" / "here" / "state.db"
    store = SqliteOrderStore(path, CLOCK)
    store.register(draft())

    found = {file.name: file_mode(file) for file in path.parent.iterdir()}

    assert found == {
        "state.db": 0o600,
        "state.db-wal": 0o600,
        "state.db-shm": 0o600,
    }
    assert file_mode(path.parent) == 0o700
    assert file_mode(path.parent.parent) == 0o700


@pytest.mark.usefixtures("umask")
def test_start_removes_other_users_permissions(tmp_path, path):
    before = SqliteOrderStore(path, CLOCK)
    before.register(draft())
    for file in tmp_path.iterdir():
        file.chmod(0o666)

    SqliteTicketStore(path)

    assert {file_mode(file) for file in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("is_symlink", [False, True])
def test_commit_flushes_the_wal(tmp_path, path, monkeypatch, is_symlink):
    log = path.with_name("state.db-wal")
    if is_symlink:
        (tmp_path / "disk").mkdir()
        log = tmp_path / "disk" / log.name
        log.with_name("state.db").touch()
        path.symlink_to(log.with_name("state.db"))
    store = SqliteOrderStore(path, CLOCK)
    assert read_pragma(path, "journal_mode") == "wal"
    flushed = spy_on_fsync(monkeypatch, log)

    store.register(draft())

    assert flushed == [(log.stat().st_ino, True)]


def test_marking_an_event_sent_needs_no_flush(path, monkeypatch):
    store = SqliteOrderStore(path, CLOCK)
    flushed = spy_on_fsync(monkeypatch, path)

    taken = claim(store).record
    done = settled(taken)
    store.commit(done, expected=taken)
    before = len(flushed)
    sent = follow_up.mark_sent(done, now=CLOCK.now())
    store.commit(sent, expected=done)

    assert (before, len(flushed)) == (2, 2)
    assert store.get(sent.key) == sent


def test_restored_file_without_wal_is_flushed_by_sqlite(tmp_path, path):
    SqliteOrderStore(path, CLOCK).register(draft())
    gc.collect()  # closes it, so that the copy is whole
    with closing(sqlite3.connect(path)) as there:
        there.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    file = open_stores(path)
    (tmp_path / "copy.db").replace(path)

    assert file.read("PRAGMA journal_mode", ())[0][0] == "delete"
    assert file.read("PRAGMA synchronous", ())[0][0] == 2
    file.write(lambda state: state.execute("DELETE FROM poison"))


@pytest.mark.parametrize(
    "name", ["state.db", "a b?mode=memory#c%41 识/state.db"], ids=ascii
)
def test_rows_survive_closing_and_a_change_of_folder(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    store = SqliteOrderStore(name, CLOCK)
    monkeypatch.chdir("/")
    store.register(draft())
    del store
    gc.collect()  # closes its connections, so that SQLite removes the WAL

    path = tmp_path / name
    assert [file.name for file in path.parent.iterdir()] == ["state.db"]
    assert SqliteOrderStore(path, CLOCK).get(draft().key) == draft()


@pytest.mark.parametrize("before", ["no file", "empty file", "database without WAL"])
def test_concurrent_opens_create_the_tables_once_and_switch_to_wal(path, before):
    if before == "empty file":
        path.touch()
    if before == "database without WAL":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE restored (a)")
    barrier = threading.Barrier(THREADS)

    def build(_: int) -> SqliteFile:
        barrier.wait()
        return open_stores(path)

    with ThreadPoolExecutor(THREADS) as threads:
        opened = list(threads.map(build, range(THREADS)))

    assert all(each.read("SELECT * FROM orders", ()) == [] for each in opened)
    assert read_pragma(path, "journal_mode") == "wal"
    assert read_pragma(path, "integrity_check") == "ok"


def test_open_waits_for_another_open_in_the_folder(tmp_path):
    opened = threading.Event()

    def build() -> None:
        open_stores(tmp_path / "state.db")
        opened.set()

    thread = threading.Thread(target=build)
    with locked_folder(tmp_path):
        thread.start()
        early = opened.wait(0.2)
    thread.join()

    assert not early
    assert opened.is_set()


# transactions


def test_failed_transaction_is_rolled_back(file):
    file.write(lambda state: state.execute("INSERT INTO breakers VALUES ('a', 1, '')"))

    def fail(state: sqlite3.Connection) -> None:
        state.execute("DELETE FROM breakers")
        raise KeyError

    with pytest.raises(KeyError):
        file.write(fail)

    assert len(file.read("SELECT * FROM breakers", ())) == 1
    file.write(lambda state: state.execute("INSERT INTO breakers VALUES ('b', 1, '')"))


def test_reader_does_not_see_uncommitted_rows(file):

    def look(state: sqlite3.Connection) -> int:
        state.execute("INSERT INTO breakers VALUES ('a', 1, '')")
        return len(file.read("SELECT * FROM breakers", ()))

    assert file.write(look) == 0
    assert len(file.read("SELECT * FROM breakers", ())) == 1


def test_connection_is_reused_after_a_nested_read(file):
    first = file.write(lambda state: state)

    assert file.write(lambda state: state) is first
    assert file.write(lambda state: file.read("SELECT 1", ()) and state) is first
    assert file.write(lambda state: state) is first


def test_writer_waits_for_another_process(path):
    store = SqliteBreakerStore(path)
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        thread = threading.Timer(0.2, other.rollback)
        thread.start()

        store.open(APP, BreakerRecord(openings=1, version=1), expected_version=0)
        thread.join()

    assert store.get(APP).openings == 1


def test_writer_times_out_behind_another_process(path, monkeypatch):
    monkeypatch.setattr(sqlite, "SQLITE_BUSY_SECONDS", 0.1)
    store = SqliteBreakerStore(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailableError) as failure:
            store.open(APP, BreakerRecord(openings=1, version=1), expected_version=0)

    assert failure.value.__context__ is None
    assert store.get(APP) == BreakerRecord()


def test_writer_times_out_behind_its_own_process(file, monkeypatch):
    monkeypatch.setattr(sqlite, "SQLITE_BUSY_SECONDS", 0.1)
    begun, end = threading.Event(), threading.Event()

    def hang(_: sqlite3.Connection) -> None:
        begun.set()
        end.wait(60)

    thread = threading.Thread(target=file.write, args=(hang,))
    thread.start()
    begun.wait(60)
    try:
        with pytest.raises(StoreUnavailableError, match="SQLITE_BUSY"):
            file.write(lambda _: None)
        assert file.read("SELECT 1", ())[0][0] == 1
    finally:
        end.set()
        thread.join()
    assert file.write(lambda _: "in turn") == "in turn"

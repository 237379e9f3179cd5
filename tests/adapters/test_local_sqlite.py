"""What only the SQLite stores have: modes, WAL, transactions, one writer at a time."""

import gc
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from fakes import FakeClock
from kycourier.adapters.local import sqlite
from kycourier.adapters.local.brake import SqliteBrakeStore
from kycourier.adapters.local.files import locked_folder
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.adapters.local.state import open_state
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.core import order as rules
from kycourier.core.brake import Brake
from kycourier.core.errors import StoreUnavailable
from local_bench import mode, pragma
from records import claim, draft, settled
from watching import watch_flushes

APP = "SANDBOX1"
CLOCK = FakeClock()


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


# files


@pytest.mark.usefixtures("umask")
def test_files_are_for_their_owner_alone(tmp_path):
    path = tmp_path / "made" / "here" / "state.db"
    store = SqliteOrderStore(path, CLOCK)
    store.register(draft())

    found = {file.name: mode(file) for file in path.parent.iterdir()}

    assert found == {
        "state.db": 0o600,
        "state.db-wal": 0o600,
        "state.db-shm": 0o600,
    }
    assert mode(path.parent) == 0o700
    assert mode(path.parent.parent) == 0o700


@pytest.mark.usefixtures("umask")
def test_file_that_others_may_read_is_taken_from_them(tmp_path):
    path = tmp_path / "state.db"
    before = SqliteOrderStore(path, CLOCK)
    before.register(draft())
    for file in tmp_path.iterdir():
        file.chmod(0o666)

    SqliteTicketStore(path)

    assert {mode(file) for file in tmp_path.iterdir()} == {0o600}


def test_file_is_in_wal_mode_and_each_commit_is_flushed(tmp_path, monkeypatch):
    path = tmp_path / "state.db"
    store, log = SqliteOrderStore(path, CLOCK), path.with_name("state.db-wal")
    assert pragma(path, "journal_mode") == "wal"
    flushed = watch_flushes(monkeypatch, log)

    store.register(draft())

    assert flushed == [(log.stat().st_ino, True)]


def test_only_that_an_event_was_sent_need_not_last(tmp_path, monkeypatch):
    path = tmp_path / "state.db"
    store = SqliteOrderStore(path, CLOCK)
    flushed = watch_flushes(monkeypatch, path)

    taken = claim(store).record
    done = settled(taken)
    store.commit(done, expected=taken)
    before = len(flushed)
    sent = rules.mark_sent(done, now=CLOCK.now())
    store.commit(sent, expected=done)

    assert (before, len(flushed)) == (2, 2)
    assert store.load(sent.key) == sent


def test_log_of_a_file_that_lies_elsewhere_is_flushed_there(tmp_path, monkeypatch):
    (tmp_path / "disk").mkdir()
    real, path = tmp_path / "disk/state.db", tmp_path / "state.db"
    real.touch()
    path.symlink_to(real)
    store, log = SqliteOrderStore(path, CLOCK), real.with_name("state.db-wal")
    flushed = watch_flushes(monkeypatch, log)

    store.register(draft())

    assert flushed == [(log.stat().st_ino, True)]


def test_file_that_was_put_back_without_a_log_is_flushed_by_sqlite(tmp_path):
    path = tmp_path / "state.db"
    SqliteOrderStore(path, CLOCK).register(draft())
    gc.collect()  # closes it, so that the copy is whole
    with closing(sqlite3.connect(path)) as there:
        there.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
    file = open_state(path)
    (tmp_path / "copy.db").replace(path)

    assert file.read("PRAGMA journal_mode", ())[0][0] == "delete"
    assert file.read("PRAGMA synchronous", ())[0][0] == 2
    file.write(lambda state: state.execute("DELETE FROM poison"))


def test_folder_with_odd_letters_is_no_trouble(tmp_path):
    path = tmp_path / "a b?mode=memory#c%41 识" / "state.db"
    SqliteOrderStore(path, CLOCK).register(draft())

    assert path.is_file()
    assert SqliteOrderStore(path, CLOCK).load(draft().key) == draft()


def test_relative_path_is_of_the_folder_at_the_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = SqliteOrderStore("state.db", CLOCK)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    store.register(draft())

    assert SqliteOrderStore(tmp_path / "state.db", CLOCK).load(draft().key) == draft()


def test_what_was_stored_outlives_the_store_and_its_wal(tmp_path):
    store = SqliteOrderStore(tmp_path / "state.db", CLOCK)
    store.register(draft())
    del store
    gc.collect()

    assert [file.name for file in tmp_path.iterdir()] == ["state.db"]
    assert SqliteOrderStore(tmp_path / "state.db", CLOCK).load(draft().key) == draft()


def test_opening_waits_while_another_opens_a_file_of_that_folder(tmp_path):
    opened = threading.Event()

    def build() -> None:
        open_state(tmp_path / "state.db")
        opened.set()

    thread = threading.Thread(target=build)
    with locked_folder(tmp_path):
        thread.start()
        early = opened.wait(0.2)
    thread.join()

    assert not early
    assert opened.is_set()


def test_connections_are_closed_with_the_store(tmp_path):
    file = open_state(tmp_path / "state.db")
    connection = file.write(lambda state: state)
    del file
    gc.collect()

    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")


# transactions


def test_transaction_that_fails_did_not_happen(tmp_path):
    file = open_state(tmp_path / "state.db")
    file.write(lambda state: state.execute("INSERT INTO brakes VALUES ('a', 1, '')"))

    def fail(state: sqlite3.Connection) -> None:
        state.execute("DELETE FROM brakes")
        raise KeyError

    with pytest.raises(KeyError):
        file.write(fail)

    assert len(file.read("SELECT * FROM brakes", ())) == 1
    file.write(lambda state: state.execute("INSERT INTO brakes VALUES ('b', 1, '')"))


def test_reader_does_not_see_what_is_not_committed(tmp_path):
    file = open_state(tmp_path / "state.db")

    def look(state: sqlite3.Connection) -> int:
        state.execute("INSERT INTO brakes VALUES ('a', 1, '')")
        return len(file.read("SELECT * FROM brakes", ()))

    assert file.write(look) == 0
    assert len(file.read("SELECT * FROM brakes", ())) == 1


def test_connection_is_used_again_also_after_another_was_lent_beside_it(tmp_path):
    file = open_state(tmp_path / "state.db")
    first = file.write(lambda state: state)

    assert file.write(lambda state: state) is first
    assert file.write(lambda state: file.read("SELECT 1", ()) and state) is first
    assert file.write(lambda state: state) is first


def test_writer_waits_its_turn(tmp_path):
    path = tmp_path / "state.db"
    store = SqliteBrakeStore(path)
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        thread = threading.Timer(0.2, other.rollback)
        thread.start()

        store.trip(APP, Brake(trips=1, version=1), expected_version=0)
        thread.join()

    assert store.load(APP).trips == 1


def test_writer_that_waited_long_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    path = tmp_path / "state.db"
    store = SqliteBrakeStore(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailable) as failure:
            store.trip(APP, Brake(trips=1, version=1), expected_version=0)

    assert failure.value.__context__ is None
    assert store.load(APP) == Brake()


def test_writer_whose_process_is_at_it_for_long_gives_up_too(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    file = open_state(tmp_path / "state.db")
    begun, end = threading.Event(), threading.Event()

    def hang(_: sqlite3.Connection) -> None:
        begun.set()
        end.wait(60)

    thread = threading.Thread(target=file.write, args=(hang,))
    thread.start()
    begun.wait(60)
    try:
        with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
            file.write(lambda _: None)
        assert file.read("SELECT 1", ())[0][0] == 1
    finally:
        end.set()
        thread.join()
    assert file.write(lambda _: "in turn") == "in turn"

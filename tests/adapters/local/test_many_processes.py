"""The local adapters under concurrent processes, forks and full disks."""

import json
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from kycourier.adapters.local.evidence import FileEvidenceStore
from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.core.orders.record import OrderKey
from support.fakes import FakeClock

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("many_processes_worker.py")
PROCESSES = 12


def run(task: str, folder: Path, *, processes: int = PROCESSES) -> list[object]:
    """Run a task in processes that start together; return their results."""
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(WORKER), task, str(folder), str(number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(processes)
        ]
        for worker in workers:
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            worker.stdin.write("\n")
            worker.stdin.flush()
        printed = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * processes
    return [json.loads(text) for text in printed]


def no_file(_: Path) -> None:
    pass


def empty_file(path: Path) -> None:
    path.parent.mkdir()
    path.touch()


def plain_database(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == (
            "delete",
        )
        connection.execute("CREATE TABLE restored (a)")


@pytest.mark.parametrize("before", [no_file, empty_file, plain_database])
def test_one_of_many_concurrent_claims_wins(tmp_path, before):
    path = tmp_path / "deep" / "state.db"
    before(path)

    found = run("claim", tmp_path)

    assert sum(each["granted"] for each in found) == 1
    assert sum(each["leased"] for each in found) == 1
    assert len({each["owner"] for each in found}) == 1
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_each_message_goes_to_one_consumer(tmp_path):
    found = [order_no for each in run("enqueue", tmp_path) for order_no in each]

    assert sorted(found) == sorted(
        f"w{number}x{each}" for number in range(PROCESSES) for each in range(10)
    )


@pytest.mark.leaks_on_purpose
def test_one_of_many_puts_wins_and_all_share_one_link_key(tmp_path):
    found = run("put", tmp_path)

    store = FileEvidenceStore(
        tmp_path / "evidence", link_key=tmp_path / "keys" / "link", clock=FakeClock()
    )
    assert [each["stored"] for each in found if each["stored"]] == [
        store.digest("a/b/1.jpg")
    ]
    assert list(store.list("a")) == ["a/b/1.jpg"]
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["link"]
    for each in found:
        _, _, query = each["link"].partition("?")
        parts = dict(part.split("=") for part in query.split("&"))
        assert store.check_link("a/b/1.jpg", **parts)


def test_store_works_on_both_sides_of_a_fork(tmp_path):
    assert run("fork", tmp_path, processes=1) == [
        {"child": 0, "parent_kept_its_own": True}
    ]

    orders = SqliteOrderStore(tmp_path / "state.db", FakeClock())
    for side in ("parent", "child"):
        for each in range(10):
            assert orders.get(OrderKey("SANDBOX1", f"{side}{each}")) is not None


def test_full_disk_fails_cleanly_and_recovers(tmp_path):
    assert run("fill", tmp_path, processes=1) == [
        {
            "orders": "StoreUnavailableError",
            "queue": "StoreUnavailableError",
            "evidence": "EvidenceUnavailableError",
            "events": "SinkUnavailableError",
        }
    ]

    orders = SqliteOrderStore(tmp_path / "state.db", FakeClock())
    for order_no, there in [("before", True), ("order1", False), ("after", True)]:
        assert (orders.get(OrderKey("SANDBOX1", order_no)) is not None) is there
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert lines == ['"before"', '"after"']
    left = (tmp_path / "evidence" / "a").iterdir()
    assert [path.name for path in left] == ["1.jpg"]

"""The local adapters on both sides of a fork and on a full disk."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kycourier.adapters.local.orders import SqliteOrderStore
from kycourier.core.orders.record import OrderKey
from support.fakes import FakeClock

pytestmark = pytest.mark.slow

WORKER = Path(__file__).with_name("fork_and_full_disk_worker.py")


def run(task: str, folder: Path) -> object:
    """Run a task in a process of its own; return its result."""
    command = [sys.executable, str(WORKER), task, str(folder)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def has_order(folder: Path, order_no: str) -> bool:
    orders = SqliteOrderStore(folder / "state.db", FakeClock())
    return orders.get(OrderKey("SANDBOX1", order_no)) is not None


def test_store_works_on_both_sides_of_a_fork(tmp_path):
    assert run("fork", tmp_path) == {"child": 0, "parent_kept_its_own": True}

    for side in ("parent", "child"):
        assert all(has_order(tmp_path, f"{side}{each}") for each in range(10))


def test_full_disk_fails_cleanly_and_recovers(tmp_path):
    assert run("fill", tmp_path) == {
        "orders": "StoreUnavailableError",
        "queue": "StoreUnavailableError",
        "evidence": "EvidenceUnavailableError",
        "events": "SinkUnavailableError",
    }

    found = [has_order(tmp_path, name) for name in ("before", "order1", "after")]
    assert found == [True, False, True]
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert lines == ['"before"', '"after"']
    left = (tmp_path / "evidence" / "a").iterdir()
    assert [path.name for path in left] == ["1.jpg"]

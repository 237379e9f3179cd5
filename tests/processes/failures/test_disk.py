"""A full disk is named in the log, and all orders are collected later."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kycourier_devkit.errors import FunctionFailedError
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import configure_stores
from support.processes.service_rig import TIMER_EVENT, queue_batch
from support.processes.worker_fleet import wait_until

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LIMIT = 6.0
FREE_KILOBYTES = [0, 4, 16, 64, 200]


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """Mount a small disk, or skip."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command to create a small disk")
    if done.returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607 - found on PATH


def fill(disk: Path, *, free_kilobytes: int) -> Path:
    """Fill a disk but for some kilobytes; returns the file that fills it."""
    ballast = disk / "ballast"
    ballast.touch()
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast.write_bytes(bytes(max(0, free - free_kilobytes * 1024)))
    return ballast


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("evidence", "ENOSPC"),
        ("events.jsonl", "ENOSPC"),
        ("state.db", "SQLITE_FULL"),
    ],
)
def test_orders_are_collected_once_a_full_disk_has_room(
    service_rig, disk, figures, name, problem
):
    (disk / name).mkdir() if name == "evidence" else (disk / name).touch()
    (service_rig.folder / name).symlink_to(disk / name)
    stores = configure_stores(service_rig, "sqlite", str)
    collect = service_rig.start("collect_results")
    sweep = service_rig.start("sweep_orders")
    assert collect.invoke({"order_no": "before"})["state"] == "collected"
    sweep.wait_until_ready()
    orders = ["before"]
    with InvariantMonitor(service_rig, stores) as watch:
        for kilobytes in FREE_KILOBYTES:
            ballast = fill(disk, free_kilobytes=kilobytes)
            new = [f"with{kilobytes}x{at}" for at in range(4)]
            response = collect.invoke(queue_batch(*new), timeout_seconds=LIMIT)
            accepted = acknowledged(new, response)
            with suppress(FunctionFailedError):
                sweep.invoke(TIMER_EVENT, timeout_seconds=LIMIT)
            ballast.unlink()
            assert accepted <= stores.rows().keys()
            orders += new
        assert f'"{problem}"' in service_rig.log.read_text()
        wait_until(
            lambda: is_over(stores, orders, collect, sweep),
            seconds=30,
            what="all events",
        )
    watch.check(dict.fromkeys(orders, "collected"), tokens=1)
    figures("a full disk", f"sqlite: {name}", orders=len(orders))


def acknowledged(orders: list[str], response: dict) -> set[str]:
    """Return the orders whose messages are deleted."""
    returned = {each["itemIdentifier"] for each in response["batchItemFailures"]}
    return {order for at, order in enumerate(orders) if f"m{at}" not in returned}


def is_over(stores, orders, collect, sweep) -> bool:
    """Redeliver unknown orders and sweep; returns whether all events are published."""
    rows = stores.rows()
    unknown = [each for each in orders if each not in rows]
    if unknown:
        assert collect.invoke(queue_batch(*unknown)) == {"batchItemFailures": []}
    sweep.invoke(TIMER_EVENT)
    sent = [event["sent"] for row in rows.values() for event in row.events]
    return len(sent) == len(orders) and all(sent)

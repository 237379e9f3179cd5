"""A full disk and a read-only folder are named, and all orders are collected later."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from kycourier_devkit.emulators.local_runtime.process import (
    FunctionProcess,
    function_file,
)
from kycourier_devkit.errors import FunctionFailedError, FunctionStartError
from kycourier_devkit.sandbox import Sandbox
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import configure_stores
from support.processes.service_rig import (
    TIMER_EVENT,
    ServiceRig,
    open_service_rig,
    queue_batch,
)
from support.processes.worker_fleet import wait_until

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LIMIT = 6.0
NOBODY = 65534
FREE_KILOBYTES = [0, 4, 16, 64, 200]
AS_NOBODY = """
import ctypes, os, runpy
if os.geteuid() == 0:  # it keeps the right to read: Python may be in root's home
    libc = ctypes.CDLL(None)
    libc.prctl({keep_capabilities}, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid({nobody})
    os.setuid({nobody})
    version, may = 0x20080522, 1 << {dac_read_search}
    libc.capset((ctypes.c_uint32 * 2)(version), (ctypes.c_uint32 * 6)(may, may))
handler = runpy.run_path({path!r})["handler"]
"""


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
    collect, sweep = (
        service_rig.start("collect_results"),
        service_rig.start("sweep_orders"),
    )
    assert collect.invoke({"order_no": "before"})["state"] == "collected"
    sweep.wait_until_ready()
    orders = ["before"]
    with InvariantMonitor(service_rig, stores) as watch:
        for kilobytes in FREE_KILOBYTES:
            ballast = fill(disk, free_kilobytes=kilobytes)
            new = [f"with{kilobytes}x{at}" for at in range(4)]
            response = collect.invoke(queue_batch(*new), timeout_seconds=LIMIT)
            accepted = acknowledged(new, response)
            try_to_sweep(sweep)
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


def try_to_sweep(sweep: FunctionProcess) -> None:
    with suppress(FunctionFailedError):
        sweep.invoke(TIMER_EVENT, timeout_seconds=LIMIT)


def is_over(stores, orders, collect, sweep) -> bool:
    """Redeliver unknown orders and sweep; returns whether all events are published."""
    rows = stores.rows()
    unknown = [each for each in orders if each not in rows]
    if unknown:
        assert collect.invoke(queue_batch(*unknown)) == {"batchItemFailures": []}
    sweep.invoke(TIMER_EVENT)
    sent = [event["sent"] for row in rows.values() for event in row.events]
    return len(sent) == len(orders) and all(sent)


@pytest.fixture
def unprivileged_rig() -> Iterator[ServiceRig]:
    """Run functions in a folder that the user nobody owns."""
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        with open_service_rig(Path(name), Sandbox(), UnprivilegedRig) as service_rig:
            yield service_rig


class UnprivilegedRig(ServiceRig):
    """Starts functions as nobody if the tests run as root."""

    def _file(self, name: str) -> Path:
        path = self.folder / "functions" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        program = AS_NOBODY.format(
            keep_capabilities=8,
            dac_read_search=2,
            nobody=NOBODY,
            path=str(function_file(name)),
        )
        path.write_text(program)
        return path


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Remove the write permissions within the block."""
    mode = path.stat().st_mode
    path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        path.chmod(mode)


@pytest.mark.parametrize("name", ["evidence", "events.jsonl"])
def test_orders_are_collected_once_a_read_only_folder_is_writable(
    unprivileged_rig, figures, name
):
    service_rig = unprivileged_rig
    stores = configure_stores(service_rig, "sqlite", str)
    collect, sweep = (
        service_rig.start("collect_results"),
        service_rig.start("sweep_orders"),
    )
    assert collect.invoke({"order_no": "before"})["state"] == "collected"
    sweep.wait_until_ready()
    orders = ["before", *(f"during{at}" for at in range(4))]
    with InvariantMonitor(service_rig, stores) as watch:
        with ExitStack() as stack:
            for path in [
                service_rig.folder / name,
                *(service_rig.folder / name).rglob("*"),
            ]:
                stack.enter_context(read_only(path))
            assert collect.invoke(queue_batch(*orders[1:])) == {"batchItemFailures": []}
            setting = f"KYCOURIER_{name.partition('.')[0].upper()}"
            with pytest.raises(FunctionStartError) as refused:
                service_rig.start("collect_results").wait_until_ready()
            assert str(refused.value) == f"{setting}: cannot be used: EACCES"
        assert '"problem":"EACCES"' in service_rig.log.read_text()
        wait_until(
            lambda: is_over(stores, orders, collect, sweep),
            seconds=30,
            what="all events",
        )
    watch.check(dict.fromkeys(orders, "collected"), tokens=1)
    figures("a read-only folder", f"sqlite: {name}", orders=len(orders))


def test_read_only_state_fails_the_start_and_names_the_setting(unprivileged_rig):
    service_rig = unprivileged_rig
    collect = service_rig.start("collect_results")
    assert collect.invoke({"order_no": "before"})["state"] == "collected"
    state = service_rig.folder / "state.db"
    with read_only(state), pytest.raises(FunctionStartError) as refused:
        service_rig.start("collect_results").wait_until_ready()
    assert str(refused.value) == "KYCOURIER_STATE: cannot be used: EACCES"
    assert service_rig.start("collect_results").invoke({"order_no": "before"})[
        "event_id"
    ]

"""A disk that is full, a folder that may not be written to: said, and made up for."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from fleet import wait_until
from houses import TIMER, House, batch, open_house
from kycourier_devkit.errors import FunctionFailed, FunctionNotStarted
from kycourier_devkit.functions.process import FunctionProcess, function_file
from kycourier_devkit.sandbox import Sandbox
from outside import furnish
from watch import Watch

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LIMIT = 6.0
NOBODY = 65534
ROOMS = [0, 4, 16, 64, 200]  # kilobytes that are left
AS_NOBODY = """
import ctypes, os, runpy
if os.geteuid() == 0:  # it may still read: Python itself may lie in root's home
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
    """Mount a small disk, or skip in plain words."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command to make a small disk with")
    if done.returncode:
        pytest.skip("a small disk cannot be mounted here: it takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607 - as found


def fill(disk: Path, *, but_kilobytes: int) -> Path:
    """Leave so much room on a disk; what takes the rest is given."""
    ballast = disk / "ballast"
    ballast.touch()
    room = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast.write_bytes(bytes(max(0, room - but_kilobytes * 1024)))
    return ballast


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("evidence", "ENOSPC"),
        ("events.jsonl", "ENOSPC"),
        ("state.db", "SQLITE_FULL"),
    ],
)
def test_full_disk_is_named_and_all_is_collected_once_there_is_room(
    house, disk, figures, name, told
):
    (disk / name).mkdir() if name == "evidence" else (disk / name).touch()
    (house.folder / name).symlink_to(disk / name)
    stores = furnish(house, "sqlite", str)
    collect, sweep = house.start("collect_results"), house.start("sweep_orders")
    assert collect.invoke({"order_no": "before"})["state"] == "collected"
    sweep.wait_until_ready()
    orders = ["before"]
    with Watch(house, stores) as watch:
        for kilobytes in ROOMS:
            ballast = fill(disk, but_kilobytes=kilobytes)
            these = [f"with{kilobytes}x{at}" for at in range(4)]
            answer = collect.invoke(batch(*these), timeout_seconds=LIMIT)
            kept = acknowledged(these, answer)
            try_to_sweep(sweep)
            ballast.unlink()
            assert kept <= stores.rows().keys()
            orders += these
        assert f'"{told}"' in house.log.read_text()
        wait_until(
            lambda: is_over(stores, orders, collect, sweep), seconds=30, what="the end"
        )
    watch.judge(dict.fromkeys(orders, "collected"), tokens=1)
    figures("a full disk", f"sqlite: {name}", orders=len(orders))


def acknowledged(orders: list[str], answer: dict) -> set[str]:
    """Give the orders whose messages are gone now."""
    returned = {each["itemIdentifier"] for each in answer["batchItemFailures"]}
    return {order for at, order in enumerate(orders) if f"m{at}" not in returned}


def try_to_sweep(sweep: FunctionProcess) -> None:
    with suppress(FunctionFailed):
        sweep.invoke(TIMER, timeout_seconds=LIMIT)


def is_over(stores, orders, collect, sweep) -> bool:
    """Deliver again what was returned, and sweep, until all are at their end."""
    rows = stores.rows()
    unknown = [each for each in orders if each not in rows]
    if unknown:
        assert collect.invoke(batch(*unknown)) == {"batchItemFailures": []}
    sweep.invoke(TIMER)
    sent = [event["sent"] for row in rows.values() for event in row.events]
    return len(sent) == len(orders) and all(sent)


@pytest.fixture
def common_house() -> Iterator[House]:
    """Give a house in a folder that the user nobody owns and reaches."""
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() == 0:
            os.chown(name, NOBODY, NOBODY)
        with open_house(Path(name), Sandbox(), Unprivileged) as house:
            yield house


class Unprivileged(House):
    """A house whose functions run as nobody, where we are root."""

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
    """Let nobody write there for the block."""
    mode = path.stat().st_mode
    path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        path.chmod(mode)


@pytest.mark.parametrize("name", ["evidence", "events.jsonl"])
def test_place_that_may_not_be_written_to_is_named_and_made_up_for(
    common_house, figures, name
):
    house = common_house
    stores = furnish(house, "sqlite", str)
    collect, sweep = house.start("collect_results"), house.start("sweep_orders")
    assert collect.invoke({"order_no": "before"})["state"] == "collected"
    sweep.wait_until_ready()
    orders = ["before", *(f"during{at}" for at in range(4))]
    with Watch(house, stores) as watch:
        with ExitStack() as stack:
            for place in [house.folder / name, *(house.folder / name).rglob("*")]:
                stack.enter_context(read_only(place))
            assert collect.invoke(batch(*orders[1:])) == {"batchItemFailures": []}
            setting = f"KYCOURIER_{name.partition('.')[0].upper()}"
            with pytest.raises(FunctionNotStarted) as refused:
                house.start("collect_results").wait_until_ready()
            assert str(refused.value) == f"{setting}: cannot be used: EACCES"
        assert '"problem":"EACCES"' in house.log.read_text()
        wait_until(
            lambda: is_over(stores, orders, collect, sweep), seconds=30, what="the end"
        )
    watch.judge(dict.fromkeys(orders, "collected"), tokens=1)
    figures("a read-only folder", f"sqlite: {name}", orders=len(orders))


def test_state_that_may_not_be_written_to_stops_the_start_by_its_name(common_house):
    house = common_house
    collect = house.start("collect_results")
    assert collect.invoke({"order_no": "before"})["state"] == "collected"
    state = house.folder / "state.db"
    with read_only(state), pytest.raises(FunctionNotStarted) as refused:
        house.start("collect_results").wait_until_ready()
    assert str(refused.value) == "KYCOURIER_STATE: cannot be used: EACCES"
    assert house.start("collect_results").invoke({"order_no": "before"})["event_id"]

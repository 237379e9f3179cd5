"""A state file that is damaged, or that another process keeps locked."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from fleet import wait_until
from houses import TIMER, at_once, batch
from kycourier_devkit.errors import FunctionFailed, FunctionNotStarted
from outside import furnish
from watch import Watch

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LIMIT = 6.0
PAGE = 4096
LOCKS = """
import sqlite3, sys, time
state = sqlite3.connect(sys.argv[1], isolation_level=None)
state.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
state.execute("COMMIT")
"""


def damage_all(path: Path) -> None:
    path.write_bytes(b"no database" * 5000)


def damage_pages(path: Path) -> None:
    """Leave the first page as it is: what the file holds, and where."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * (size - PAGE))


@pytest.mark.parametrize(
    ("damage", "told"),
    [(damage_all, "SQLITE_NOTADB"), (damage_pages, "SQLITE_CORRUPT")],
)
def test_damaged_state_is_named_nothing_is_asked_and_a_copy_put_back_goes_on(
    house, figures, damage, told
):
    stores, state = furnish(house, "sqlite", str), house.folder / "state.db"
    collect, sweep = house.start("collect_results"), house.start("sweep_orders")
    before = [f"before{at}" for at in range(20)]
    with Watch(house, stores, rows_every=1_000_000) as watch:
        assert collect.invoke(batch(*before)) == {"batchItemFailures": []}
        watch.look_at_rows()
        copy = house.folder / "copy.db"
        with closing(sqlite3.connect(state)) as ours:
            ours.execute("VACUUM INTO ?", (str(copy),))
        bad = house.folder / "bad.db"
        shutil.copy(copy, bad)
        damage(bad)
        put_in_place(bad, state)
        asked = house.sandbox.report()

        answer = collect.invoke(batch("during"), timeout_seconds=LIMIT)
        with pytest.raises(FunctionFailed, match="store_unavailable"):
            sweep.invoke(TIMER, timeout_seconds=LIMIT)
        assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
        assert house.log.read_text().count(f'"problem":"{told}"') == 2
        again = house.start("collect_results")
        if damage is damage_all:
            with pytest.raises(FunctionNotStarted, match=f"KYCOURIER_STATE: .*{told}"):
                again.wait_until_ready()
        after = house.sandbox.report()
        after.connections_opened = asked.connections_opened  # one may be open ahead
        assert after == asked

        put_in_place(copy, state)
        assert collect.invoke(batch(*before, "during")) == {"batchItemFailures": []}
    watch.judge(dict.fromkeys([*before, "during"], "collected"), tokens=1)
    figures("a damaged state file, put back", told, orders=21)


def put_in_place(copy: Path, state: Path) -> None:
    """Replace the file whole, as one does who restores it."""
    for side in ("-wal", "-shm"):
        state.with_name(f"{state.name}{side}").unlink(missing_ok=True)
    copy.replace(state)


def test_state_that_another_process_locks_for_seconds_is_waited_out(house, figures):
    stores = furnish(house, "sqlite", str)
    house.start("refresh_ticket").invoke(TIMER)
    workers = house.start_many("collect_results", 3)
    state, seconds = str(house.folder / "state.db"), "5"
    orders = [f"order{at}" for at in range(12)]
    batches = {each: orders[at::3] for at, each in enumerate(workers)}
    returned = []

    def deliver(process) -> bool:
        answer = process.invoke(batch(*batches[process]), timeout_seconds=LIMIT)
        returned.extend(answer["batchItemFailures"])
        return not answer["batchItemFailures"]

    with Watch(house, stores) as watch:
        command = [sys.executable, "-c", LOCKS, state, seconds]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout.readline() == "locked\n"
            assert at_once(deliver, workers) == [False] * len(workers)
            wait_until(
                lambda: all(at_once(deliver, workers)), seconds=30, what="the end"
            )
    watch.judge(dict.fromkeys(orders, "collected"), tokens=1)
    assert len(returned) >= len(orders)
    figures(f"a state file locked for {seconds} s", stores.kind, orders=len(orders))

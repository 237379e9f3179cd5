"""A state file that is damaged, and restored from a copy."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kycourier_devkit.errors import FunctionFailedError, FunctionStartError
from support.processes.invariant_monitor import InvariantMonitor
from support.processes.raw_stores import configure_stores
from support.processes.service_rig import TIMER_EVENT, queue_batch

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
LIMIT = 6.0
PAGE = 4096


def damage_all(path: Path) -> None:
    path.write_bytes(b"no database" * 5000)


def damage_pages(path: Path) -> None:
    """Overwrite all but the first page, which holds the schema."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(PAGE)
        file.write(b"\xa5" * (size - PAGE))


@pytest.mark.parametrize(
    ("damage", "problem"),
    [(damage_all, "SQLITE_NOTADB"), (damage_pages, "SQLITE_CORRUPT")],
)
def test_damaged_state_stops_all_calls_until_a_copy_is_restored(
    service_rig, figures, damage, problem
):
    stores = configure_stores(service_rig, "sqlite", str)
    state = service_rig.folder / "state.db"
    collect = service_rig.start("collect_results")
    sweep = service_rig.start("sweep_orders")
    before = [f"before{at}" for at in range(20)]
    with InvariantMonitor(service_rig, stores, rows_every=1_000_000) as watch:
        assert collect.invoke(queue_batch(*before)) == {"batchItemFailures": []}
        watch.read_rows()
        copy = service_rig.folder / "copy.db"
        with closing(sqlite3.connect(state)) as ours:
            ours.execute("VACUUM INTO ?", (str(copy),))
        bad = service_rig.folder / "bad.db"
        shutil.copy(copy, bad)
        damage(bad)
        restore(bad, state)
        calls_before = service_rig.sandbox.report()

        response = collect.invoke(queue_batch("during"), timeout_seconds=LIMIT)
        with pytest.raises(FunctionFailedError, match="store_unavailable"):
            sweep.invoke(TIMER_EVENT, timeout_seconds=LIMIT)
        assert response == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
        assert service_rig.log.read_text().count(f'"problem":"{problem}"') == 2
        again = service_rig.start("collect_results")
        if damage is damage_all:
            with pytest.raises(
                FunctionStartError, match=f"KYCOURIER_STATE: .*{problem}"
            ):
                again.wait_until_ready()
        calls = service_rig.sandbox.report()
        calls.connections_opened = calls_before.connections_opened  # one opens ahead
        assert calls == calls_before

        restore(copy, state)
        assert collect.invoke(queue_batch(*before, "during")) == {
            "batchItemFailures": []
        }
    watch.check(dict.fromkeys([*before, "during"], "collected"), tokens=1)
    figures("a damaged state file, put back", problem, orders=21)


def restore(copy: Path, state: Path) -> None:
    """Replace the state file and remove its side files."""
    for side in ("-wal", "-shm"):
        state.with_name(f"{state.name}{side}").unlink(missing_ok=True)
    copy.replace(state)

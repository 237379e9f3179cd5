"""Limits a process to a share of one core, as a cloud does by memory size."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SHARE = 1 / 7
PERIOD_SECONDS = 0.02
_V1, _V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")


@contextmanager
def limit_cpu(pid: int) -> Iterator[None]:
    """Limits a process to the share while the block lasts."""
    group = _make_group(pid)
    if group is None:
        with stop_in_turns(pid):
            yield
        return
    try:
        yield
    finally:
        (group.parent / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def describe_method() -> str:
    """Returns how processes are limited on this machine."""
    group = _make_group(None)
    if group is None:
        return "SIGSTOP and SIGCONT in turn, since no CPU quota can be set here"
    group.rmdir()
    return f"a CPU quota: a seventh of each {PERIOD_SECONDS * 1000:.0f} ms"


def _make_group(pid: int | None) -> Path | None:
    """Makes a control group with the quota for the process, if allowed."""
    period = round(PERIOD_SECONDS * 1_000_000)
    quota = round(period * SHARE)
    is_v1 = (_V1 / "cpu.cfs_quota_us").exists()
    group = (_V1 if is_v1 else _V2) / f"kycourier-bench-{pid or 0}"
    try:
        group.mkdir()
        try:
            if is_v1:
                (group / "cpu.cfs_period_us").write_text(str(period))
                (group / "cpu.cfs_quota_us").write_text(str(quota))
            else:
                (group / "cpu.max").write_text(f"{quota} {period}")
            if pid is not None:
                (group / "cgroup.procs").write_text(str(pid))
        except OSError:
            group.rmdir()
            raise
    except OSError:
        return None
    return group


@contextmanager
def stop_in_turns(pid: int) -> Iterator[None]:
    """Stops and continue a process so that it runs for its share of each period."""
    ended = threading.Event()

    def alternate() -> None:
        while True:
            os.kill(pid, signal.SIGSTOP)
            is_over = ended.wait(PERIOD_SECONDS * (1 - SHARE))
            os.kill(pid, signal.SIGCONT)
            if is_over or ended.wait(PERIOD_SECONDS * SHARE):
                return

    thread = threading.Thread(target=alternate)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()

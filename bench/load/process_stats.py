"""Reads the parent, memory and CPU time of processes from /proc."""

import os
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")
# positions in /proc/PID/stat after the name in brackets
_PARENT, _USER, _SYSTEM, _RESIDENT = 1, 11, 12, 21


class ProcessStats(Struct, frozen=True):
    """A process at one moment."""

    pid: int
    parent: int
    command: str
    cpu_seconds: float
    resident_bytes: int


def read_process(pid: int) -> ProcessStats:
    """Reads one process. Raises FileNotFoundError when it has ended."""
    folder = _PROC / str(pid)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return ProcessStats(
        pid,
        int(fields[_PARENT]),
        (folder / "cmdline")
        .read_bytes()
        .replace(b"\0", b" ")
        .decode("utf-8", "replace"),
        (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS,
        int(fields[_RESIDENT]) * _PAGE,
    )


def read_children(pid: int) -> list[ProcessStats]:
    """Reads all running children of a process."""
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                member = read_process(int(folder.name))
                if member.parent == pid:
                    found.append(member)
    return found

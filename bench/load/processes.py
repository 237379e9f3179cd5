"""What the kernel tells of a process: who started it, its memory and its CPU time."""

import os
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")
# places in /proc/PID/stat after the name in brackets
_PARENT, _USER, _SYSTEM, _RESIDENT = 1, 11, 12, 21


class Member(Struct, frozen=True):
    """A process as it is at this moment."""

    pid: int
    parent: int
    command: str
    cpu_seconds: float
    resident_bytes: int


def find_member(pid: int) -> Member:
    """Read one process. Raises FileNotFoundError when it has ended."""
    folder = _PROC / str(pid)
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return Member(
        pid,
        int(fields[_PARENT]),
        (folder / "cmdline")
        .read_bytes()
        .replace(b"\0", b" ")
        .decode("utf-8", "replace"),
        (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS,
        int(fields[_RESIDENT]) * _PAGE,
    )


def find_children(pid: int) -> list[Member]:
    """Read all processes that one started and that still run."""
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                member = find_member(int(folder.name))
                if member.parent == pid:
                    found.append(member)
    return found

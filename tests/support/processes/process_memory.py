"""Reads a process's memory from /proc."""

import re
from pathlib import Path


def peak_megabytes(process) -> float:
    """Return the peak resident memory in MiB."""
    return _read(process, "VmHWM")


def resident_megabytes(process) -> float:
    """Return the present resident memory in MiB."""
    return _read(process, "VmRSS")


def _read(process, name: str) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024

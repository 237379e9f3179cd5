"""How much memory a running process holds, by /proc."""

import re
from pathlib import Path


def peak_megabytes(process) -> float:
    """Read the most that it ever had resident."""
    return _read(process, "VmHWM")


def resident_megabytes(process) -> float:
    """Read what it has resident now."""
    return _read(process, "VmRSS")


def _read(process, name: str) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024

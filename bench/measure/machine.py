"""Describes the machine of a run and the versions of its libraries."""

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("boto3", "obstore", "requests", "urllib3", "msgspec", "pybase64")


def describe_machine() -> str:
    """Returns processor, memory and kernel in one line, without the host name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores of {_processor()}, {memory:.0f} GB of memory,"
        f" {platform.system()} {platform.release().split('-')[0]}"
    )


def current_load() -> float:
    """Returns the load average of the last minute."""
    return round(os.getloadavg()[0], 2)


def list_versions() -> dict[str, str]:
    """Returns the versions of Python, the libraries and valgrind."""
    found = {"python": platform.python_version()}
    found |= {name: version(name) for name in LIBRARIES}
    if shutil.which("valgrind"):
        done = subprocess.run(
            ["valgrind", "--version"],  # noqa: S607 - whichever is installed
            check=False,
            capture_output=True,
            text=True,
        )
        found["valgrind"] = done.stdout.strip().removeprefix("valgrind-")
    return found


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine() or sys.platform

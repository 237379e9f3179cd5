"""On what a run was made: the machine in words, and the versions of what matters."""

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("boto3", "obstore", "requests", "urllib3", "msgspec", "pybase64")


def describe_machine() -> str:
    """Say what this machine is, without its name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores of {_processor()}, {memory:.0f} GB of memory,"
        f" {platform.system()} {platform.release().split('-')[0]}"
    )


def load_now() -> float:
    """Give how many processes wanted a core in the last minute."""
    return round(os.getloadavg()[0], 2)


def list_versions() -> dict[str, str]:
    """Name Python and the libraries of the bench's own environment."""
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

"""Third-party wheels for Lambda's platforms, by pip, from hashed locks.

What was downloaded stays in `.cache`, a folder for each lock and architecture.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kycourier_devkit import toolbox
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.package.bytecode import PYTHON_VERSION

# Lambda's Python 3.13 runs on Amazon Linux 2023, whose glibc is 2.34. Every tag is
# asked for by name: pip takes none for another, and may choose an old release instead.
PLATFORMS = {
    "x86_64": (
        "manylinux2014_x86_64",
        "manylinux_2_17_x86_64",
        "manylinux_2_28_x86_64",
    ),
    "arm64": (
        "manylinux2014_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux_2_24_aarch64",
        "manylinux_2_28_aarch64",
    ),
}
_ABIS = ("cp313", "abi3", "none")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
_LOG = "pip.log"
_PIP_SECONDS = 600


def install(locks: Sequence[Path], into: Path, *, architecture: str) -> None:
    """Install what `locks` name, as it is on Lambda. Raises ToolMissing."""
    _run([*_PIP, "--version"], "pip is not in this environment: run `make setup`")
    for lock in locks:
        wheels = download(lock, architecture)
        options = ["--no-index", "--find-links", str(wheels), "--target", str(into)]
        _pip(
            "install", "--no-compile", "--upgrade", *options, *_ask(lock, architecture)
        )


def download(lock: Path, architecture: str) -> Path:
    """Give the folder that holds the wheels of a lock, filled once.

    Raises ToolMissing.
    """

    def fill(folder: Path) -> None:
        _pip("download", "--dest", str(folder), *_ask(lock, architecture))

    return toolbox.cached(f"wheels-{lock.stem}-{architecture}", lock, fill)


def _ask(lock: Path, architecture: str) -> list[str]:
    """Name the lock and the platform."""
    options = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
    options += ["--python-version", PYTHON_VERSION, "--implementation", "cp"]
    options += [part for abi in _ABIS for part in ("--abi", abi)]
    tags = PLATFORMS[architecture]
    options += [part for tag in tags for part in ("--platform", tag)]
    return [*options, "--requirement", str(lock)]


def _pip(*arguments: str) -> None:
    """Run pip; what it says goes to a file. Raises ToolMissing."""
    _run(
        [*_PIP, *arguments, "--retries", "2"],
        f"pip {arguments[0]} failed: is there a network? See .cache/{_LOG}",
    )


def _run(command: Sequence[str], problem: str) -> None:
    with (toolbox.CACHE / _LOG).open("wb") as log:
        try:
            done = subprocess.run(  # noqa: S603 - pip, our own list
                command, check=False, stdout=log, stderr=log, timeout=_PIP_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired):
            status = 1
        else:
            status = done.returncode
    if status:
        raise ToolMissing(problem)

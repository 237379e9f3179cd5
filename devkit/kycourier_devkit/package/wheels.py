"""Third-party wheels for a cloud's platform, by pip, from hashed locks.

What was downloaded stays in `.cache`, a folder for each cloud, lock and
architecture.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.markers import Marker

from kycourier_devkit import toolbox
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.package.clouds import Cloud

_ABIS = ("abi3", "none")
_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_LOCKED = re.compile(
    r"(?m)^([^\s#]+==\S+)(?: ; ([^\\\n]+?))? \\\n((?:    --hash=\S+(?: \\)?\n?)+)"
)
_SELECTED = "selected.txt"
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
_LOG = "pip.log"
_PIP_SECONDS = 600


def install(
    locks: Sequence[Path], into: Path, *, cloud: Cloud, architecture: str
) -> None:
    """Install what `locks` name, as it is on the cloud. Raises ToolMissing."""
    _run([*_PIP, "--version"], "pip is not in this environment: run `make setup`")
    for lock in locks:
        wheels = download(lock, cloud, architecture)
        options = ["--no-index", "--find-links", str(wheels), "--target", str(into)]
        asked = _ask(wheels / _SELECTED, cloud, architecture)
        _pip("install", "--no-compile", "--upgrade", *options, *asked)


def download(lock: Path, cloud: Cloud, architecture: str) -> Path:
    """Give the folder that holds the wheels of a lock, filled once.

    Raises ToolMissing.
    """

    def fill(folder: Path) -> None:
        folder.mkdir(parents=True)
        selected = folder / _SELECTED
        text = select(lock.read_text("utf-8"), cloud, architecture)
        selected.write_text(text, "utf-8")
        _pip("download", "--dest", str(folder), *_ask(selected, cloud, architecture))

    name = f"wheels-{lock.parent.name}-{lock.stem}-{architecture}"
    return toolbox.cached(name, lock, fill)


def select(lock: str, cloud: Cloud, architecture: str) -> str:
    """Give the lines of a lock that are for the cloud, without their markers.

    pip looks at markers as if its own Python were meant.
    """
    where = {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": _MACHINES[architecture],
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{cloud.python}.0",
        "python_version": cloud.python,
        "sys_platform": "linux",
    }
    selected = []
    for pinned, marker, hashes in _LOCKED.findall(lock):
        if not marker or Marker(marker).evaluate(where):
            selected.append(f"{pinned} \\\n{hashes}")
    return "".join(selected)


def _ask(selected: Path, cloud: Cloud, architecture: str) -> list[str]:
    """Name the libraries and the platform."""
    abis = (f"cp{cloud.python.replace('.', '')}", *_ABIS)
    options = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
    options += ["--python-version", cloud.python, "--implementation", "cp"]
    options += [part for abi in abis for part in ("--abi", abi)]
    tags = cloud.platforms[architecture]
    options += [part for tag in tags for part in ("--platform", tag)]
    return [*options, "--requirement", str(selected)]


def _pip(*arguments: str) -> None:
    """Run pip; what it says goes to a file. Raises ToolMissing."""
    _run(
        [*_PIP, *arguments, "--retries", "2"],
        f"pip {arguments[0]} failed: is there a network? See .cache/{_LOG}",
    )


def _run(command: Sequence[str], problem: str) -> None:
    toolbox.CACHE.mkdir(exist_ok=True)
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

"""Downloads and installs third-party wheels for a cloud's platform from hashed locks.

Downloads are kept in `.cache`, in a folder for each lock, Python and architecture.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from packaging.markers import Marker

from kycourier_devkit import repository
from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.package.clouds import Cloud
from kycourier_devkit.tool_envs import install_once

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
    """Installs `locks` for the cloud's Python. Raises ToolUnavailableError."""
    _run([*_PIP, "--version"], "pip is not in this environment: run `make setup`")
    for lock in locks:
        wheels = download(lock, cloud, architecture)
        options = ["--no-index", "--find-links", str(wheels), "--target", str(into)]
        requested = _pip_options(wheels / _SELECTED, cloud, architecture)
        _pip("install", "--no-compile", "--upgrade", *options, *requested)


def download(lock: Path, cloud: Cloud, architecture: str) -> Path:
    """Returns a folder with the wheels of a lock, downloaded once.

    Raises:
        ToolUnavailableError: pip or the network failed.
    """

    def fill(folder: Path) -> None:
        folder.mkdir(parents=True)
        selected = folder / _SELECTED
        text = select_requirements(lock.read_text("utf-8"), cloud, architecture)
        selected.write_text(text, "utf-8")
        _pip(
            "download",
            "--dest",
            str(folder),
            *_pip_options(selected, cloud, architecture),
        )

    name = f"wheels-{lock.parent.name}-{lock.stem}-{cloud.python}-{architecture}"
    return install_once(name, lock, fill)


def select_requirements(lock: str, cloud: Cloud, architecture: str) -> str:
    """Returns the lines of a lock that apply to the cloud, without their markers.

    pip would evaluate the markers for the Python that it runs on.
    """
    environment = {
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
        if not marker or Marker(marker).evaluate(environment):
            selected.append(f"{pinned} \\\n{hashes}")
    return "".join(selected)


def _pip_options(selected: Path, cloud: Cloud, architecture: str) -> list[str]:
    """Returns the options that name the libraries and the platform."""
    abis = (f"cp{cloud.python.replace('.', '')}", *_ABIS)
    options = ["--require-hashes", "--no-deps", "--only-binary=:all:"]
    options += ["--python-version", cloud.python, "--implementation", "cp"]
    options += [part for abi in abis for part in ("--abi", abi)]
    tags = cloud.platforms[architecture]
    options += [part for tag in tags for part in ("--platform", tag)]
    return [*options, "--requirement", str(selected)]


def _pip(*arguments: str) -> None:
    """Runs pip with its output in a file. Raises ToolUnavailableError."""
    _run(
        [*_PIP, *arguments, "--retries", "2"],
        f"pip {arguments[0]} failed: is there a network? See .cache/{_LOG}",
    )


def _run(command: Sequence[str], problem: str) -> None:
    repository.CACHE.mkdir(exist_ok=True)
    with (repository.CACHE / _LOG).open("wb") as log:
        try:
            done = subprocess.run(  # noqa: S603 - pip with fixed options
                command, check=False, stdout=log, stderr=log, timeout=_PIP_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired):
            status = 1
        else:
            status = done.returncode
    if status:
        raise ToolUnavailableError(problem)

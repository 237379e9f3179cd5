"""The interpreters: Lambda's Python with the built packages, or this one."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from kycourier_devkit.emulators.lambda_runtime.deployment import build_environ, deploy
from kycourier_devkit.emulators.local_runtime.process import function_file
from kycourier_devkit.errors import DevkitError, ToolUnavailableError

PEERS = Path(__file__).parents[1] / "peers"


class Runtime(Struct, frozen=True):
    """An interpreter, the folder of its function files, and a description of both."""

    python: Path
    task: Path
    base: Mapping[str, str]
    version: str
    description: str

    def file(self, name: str) -> Path:
        """Returns the file of one of the service's functions (`collect_results`)."""
        return self.task / f"{name}.py"


def find_lambda(packages: Path, folder: Path) -> Runtime:
    """Unpacks the built zips as Lambda does; fall back to this Python without Lambda's.

    Args:
        packages: the folder of zips.
        folder: where they are unpacked.
    """
    try:
        deployed = deploy(packages, folder)
    except ToolUnavailableError as missing:
        version = _version(sys.executable)
        return find_local(f"Python {version} and the sources, since {missing}")
    base = build_environ(deployed, "collect_results", {}, api="")
    version = _version(str(deployed.python))
    description = f"Python {version} and the built packages, as on Lambda"
    return Runtime(deployed.python, deployed.task, base, version, description)


def find_local(description: str | None = None) -> Runtime:
    """Returns this interpreter with the sources."""
    version = _version(sys.executable)
    description = description or f"Python {version} and the sources"
    task = function_file("collect_results").parent
    base = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    return Runtime(Path(sys.executable), task, base, version, description)


def build_packages(into: Path) -> Path:
    """Builds the zips of this checkout. Raises DevkitError."""
    command = [sys.executable, "-m", "kycourier_devkit.package", "--into", str(into)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own command
    if done.returncode:
        raise DevkitError(done.stderr.strip())
    return into


def compile_peers(runtime: Runtime, folder: Path) -> Path:
    """Copies the peers into a folder, with bytecode as in the packages."""
    if not folder.exists():
        shutil.copytree(PEERS, folder, ignore=shutil.ignore_patterns("__*__*"))
    command = [str(runtime.python), "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
    return folder


def _version(python: str) -> str:
    code = "import platform; print(platform.python_version())"
    done = subprocess.run(  # noqa: S603 - an interpreter of this machine
        [python, "-c", code], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()

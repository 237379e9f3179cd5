"""Which interpreter runs what: Lambda's with the built packages, or this one."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from kycourier_devkit.errors import DevkitError, ToolMissing
from kycourier_devkit.functions.process import function_file
from kycourier_devkit.lambda_runtime.deployment import build_environ, deploy

HERE = Path(__file__).parent
PEERS = ("naive", "floor", "subjects")


class Runtime(Struct, frozen=True):
    """An interpreter, where it finds function files, and in words what it is."""

    python: Path
    task: Path
    base: Mapping[str, str]
    version: str
    words: str

    def file(self, name: str) -> Path:
        """Give the file of a function of ours (`collect_results`)."""
        return self.task / f"{name}.py"


def find_lambda(packages: Path, folder: Path) -> Runtime:
    """Unpack the built zips as Lambda does; without its Python, take this one's."""
    try:
        deployed = deploy(packages, folder)
    except ToolMissing as missing:
        words = f"Python {_version(sys.executable)} and the sources, since {missing}"
        return find_local(words)
    base = build_environ(deployed, "collect_results", {}, api="")
    version = _version(str(deployed.python))
    words = f"Python {version} and the built packages, as on Lambda"
    return Runtime(deployed.python, deployed.task, base, version, words)


def find_local(words: str | None = None) -> Runtime:
    """Take this interpreter and the sources."""
    version = _version(sys.executable)
    words = words or f"Python {version} and the sources"
    task = function_file("collect_results").parent
    base = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    return Runtime(Path(sys.executable), task, base, version, words)


def build_packages(into: Path) -> Path:
    """Build the zips of this checkout. Raises DevkitError."""
    command = [sys.executable, "-m", "kycourier_devkit.package", "--into", str(into)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own list
    if done.returncode:
        raise DevkitError(done.stderr.strip())
    return into


def copy_peers(runtime: Runtime, folder: Path) -> Path:
    """Copy naive peer and floor, with bytecode such as the packages have."""
    for name in PEERS:
        to = folder / name
        if not to.exists():
            shutil.copytree(HERE / name, to, ignore=shutil.ignore_patterns("__*__"))
    command = [str(runtime.python), "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash", str(folder)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own list
    return folder


def _version(python: str) -> str:
    told = "import platform; print(platform.python_version())"
    done = subprocess.run(  # noqa: S603 - an interpreter of this machine
        [python, "-c", told], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()

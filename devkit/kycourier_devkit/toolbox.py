"""Tools that take long to install, each in an environment of its own under `.cache`.

Their locks lie in devkit/tools. A tool that cannot be had raises ToolMissing, which
says in plain words what is missing; whoever needed it skips, or fails where nothing may
be skipped. `python -m kycourier_devkit.toolbox` installs all, so that no test waits.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kycourier_devkit.errors import ToolMissing

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "devkit/tools"
CACHE = ROOT / ".cache"
_PYENV = Path.home() / ".pyenv/versions"
_INSTALL_SECONDS = 900
_DIGEST = 12
_AT_ONCE = 2  # installing takes a core
OTHER_PYTHONS = {"3.10": "the newest on SCF", "3.13": "what Lambda runs"}


def python_tool(name: str, *, python: str = sys.executable) -> Path:
    """Give the `bin` folder of the environment that `name.txt` locks.

    Raises ToolMissing.
    """
    return make_environment(name, LOCKS / f"{name}.txt", python=python)


def make_environment(
    name: str, lock: Path, *, python: str, editable: Sequence[Path] = ()
) -> Path:
    """Make a locked environment, with our own packages where they are named.

    Gives its `bin` folder. Raises ToolMissing.
    """

    def install(folder: Path) -> None:
        _run([python, "-m", "venv", folder])
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "-qq"]
        pip.append("--disable-pip-version-check")
        _run([*pip, "--no-deps", "--require-hashes", "-r", str(lock)])
        if editable:
            ours = [part for path in editable for part in ("-e", str(path))]
            _run([*pip, "--no-deps", "--no-build-isolation", *ours])

    return cached(name, lock, install) / "bin"


def our_own(version: str) -> Path:
    """Give the `bin` folder of an environment as `.venv`, for another Python.

    Raises ToolMissing.
    """
    return make_environment(
        f"python-{version}",
        ROOT / "devkit/requirements.txt",
        python=find_python(version),
        editable=[ROOT, ROOT / "devkit"],
    )


def node_tool(name: str) -> Path:
    """Give a program of `package-lock.json`. Raises ToolMissing."""
    npm = shutil.which("npm")
    if npm is None:
        raise ToolMissing(f"{name} needs Node.js and npm")
    lock = LOCKS / "package-lock.json"

    def install(folder: Path) -> None:
        folder.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(LOCKS / file, folder)
        _run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder)

    return cached("node", lock, install) / "node_modules/.bin" / name


def redis_server() -> Path:
    """Give Redis's server; root on Debian installs it. Raises ToolMissing."""
    with _locked("redis"):
        if shutil.which("redis-server") is None and os.geteuid() == 0:
            apt = shutil.which("apt-get")
            if apt is not None:
                _run([apt, "-qq", "update"])
                _run([apt, "-qq", "-y", "install", "redis-server"])
    found = shutil.which("redis-server")
    if found is None:
        raise ToolMissing("redis-server is not on this machine: install it")
    return Path(found)


def find_python(version: str) -> str:
    """Give an interpreter that works: on the path, or else among pyenv's.

    Raises ToolMissing.
    """
    name = f"python{version}"
    on_path = [path] if (path := shutil.which(name)) else []
    installed = map(str, sorted(_PYENV.glob(f"{version}*/bin/{name}"), reverse=True))
    for python in (*on_path, *installed):
        done = subprocess.run([python, "-c", ""], check=False, capture_output=True)  # noqa: S603 - an interpreter
        if done.returncode == 0:
            return python
    raise ToolMissing(f"Python {version} is not on this machine")


def cached(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    """Install once for each content of the lock, whoever comes first."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:_DIGEST]
    folder = CACHE / f"{name}-{digest}"
    ready = folder / ".ready"
    with _locked(name):
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            ready.touch()
    return folder


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Let one process at a time install a tool."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str | Path], *, cwd: Path | None = None) -> None:
    name = Path(command[0]).name
    try:
        done = subprocess.run(  # noqa: S603 - our own list
            command,
            cwd=cwd,
            check=False,
            capture_output=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},  # noqa: TID251 - an installer's
            timeout=_INSTALL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        why = type(error).__name__
    else:
        if done.returncode == 0:
            return
        why = f"exit code {done.returncode}"
    raise ToolMissing(f"{name} could not install what is needed ({why})")


def main() -> None:
    """Install every tool that is not here yet, and say which cannot be had."""
    tools: dict[str, Callable[[], object]] = {
        "moto, AWS's APIs on loopback": lambda: python_tool("moto"),
        "Lambda's runtime client": lambda: python_tool(
            "lambda_runtime", python=find_python("3.13")
        ),
        "SAM": lambda: python_tool("sam"),
        "checkov": lambda: python_tool("checkov"),
        "mutmut": lambda: python_tool("mutmut"),
        "atheris, coverage-guided fuzzing": lambda: python_tool("atheris"),
        "schemathesis": lambda: python_tool("schemathesis"),
        "osls and dynalite": lambda: node_tool("osls"),
        "Redis": redis_server,
    }
    for version in OTHER_PYTHONS:
        tools[f"Python {version} with our own libraries"] = partial(our_own, version)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {name: pool.submit(install) for name, install in tools.items()}
        for name, installed in running.items():
            sys.stdout.write(f"Tool: {name}\n")
            sys.stdout.flush()
            try:
                installed.result()
            except ToolMissing as missing:
                sys.stdout.write(f"  is skipped with its tests: {missing}\n")


if __name__ == "__main__":
    main()

"""Installs slow tools into `.cache`, each in an environment of its own.

Their lock files are in devkit/tools. A tool that cannot be installed raises
ToolUnavailableError: the caller skips what needs it, or fails. To install all in
advance, run `python -m kycourier_devkit.tool_envs`.
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

from kycourier_devkit import repository
from kycourier_devkit.errors import ToolUnavailableError

OTHER_PYTHONS = {"3.10": "the newest on SCF", "3.13": "what Lambda runs"}
_LOCKS = repository.ROOT / "devkit/tools"
_PYENV = Path.home() / ".pyenv/versions"
_INSTALL_SECONDS = 900
_DIGEST_LENGTH = 12
_MAX_CONCURRENT = 2  # an installation takes one core


def python_tool(name: str, *, python: str = sys.executable) -> Path:
    """Returns the `bin` folder of the environment that `name.txt` locks.

    Raises:
        ToolUnavailableError: It could not be installed.
    """
    return create_env(name, _LOCKS / f"{name}.txt", python=python)


def create_env(
    name: str, lock: Path, *, python: str, editable: Sequence[Path] = ()
) -> Path:
    """Creates a virtual environment once for each content of its lock file.

    Args:
        name: The environment's name in `.cache`.
        lock: Requirements with hashes.
        python: The interpreter that creates it.
        editable: Projects of this repository to install without dependencies.

    Returns:
        Its `bin` folder.

    Raises:
        ToolUnavailableError: It could not be created.
    """

    def install(folder: Path) -> None:
        _run([python, "-m", "venv", folder])
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "-qq"]
        pip.append("--disable-pip-version-check")
        _run([*pip, "--no-deps", "--require-hashes", "-r", str(lock)])
        if editable:
            projects = [part for path in editable for part in ("-e", str(path))]
            _run([*pip, "--no-deps", "--no-build-isolation", *projects])

    return install_once(name, lock, install) / "bin"


def devkit_env(version: str) -> Path:
    """Returns the `bin` folder of a copy of `.venv` for another Python version.

    Raises:
        ToolUnavailableError: That Python is missing, or the installation failed.
    """
    return create_env(
        f"python-{version}",
        repository.ROOT / "devkit/requirements.txt",
        python=find_python(version),
        editable=[repository.ROOT, repository.ROOT / "devkit"],
    )


def node_tool(name: str) -> Path:
    """Returns the path of a program that `package-lock.json` locks.

    Raises:
        ToolUnavailableError: npm is missing, or the installation failed.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ToolUnavailableError(f"{name} needs Node.js and npm")
    lock = _LOCKS / "package-lock.json"

    def install(folder: Path) -> None:
        folder.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(_LOCKS / file, folder)
        _run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder)

    return install_once("node", lock, install) / "node_modules/.bin" / name


def redis_server() -> Path:
    """Returns the path of redis-server; root on Debian installs it.

    Raises:
        ToolUnavailableError: It is not installed and could not be.
    """
    with _locked("redis"):
        if shutil.which("redis-server") is None and os.geteuid() == 0:
            apt = shutil.which("apt-get")
            if apt is not None:
                _run([apt, "-qq", "update"])
                _run([apt, "-qq", "-y", "install", "redis-server"])
    found = shutil.which("redis-server")
    if found is None:
        raise ToolUnavailableError("redis-server is not on this machine: install it")
    return Path(found)


def find_python(version: str) -> str:
    """Returns an interpreter that starts, from the path or from pyenv.

    Raises:
        ToolUnavailableError: There is none of this version.
    """
    name = f"python{version}"
    on_path = [path] if (path := shutil.which(name)) else []
    installed = map(str, sorted(_PYENV.glob(f"{version}*/bin/{name}"), reverse=True))
    for python in (*on_path, *installed):
        done = subprocess.run([python, "-c", ""], check=False, capture_output=True)  # noqa: S603 - an interpreter
        if done.returncode == 0:
            return python
    raise ToolUnavailableError(f"Python {version} is not on this machine")


def install_once(name: str, lock: Path, install: Callable[[Path], None]) -> Path:
    """Installs once for each content of a lock file, even with concurrent callers.

    Returns:
        The folder that `install` filled.
    """
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:_DIGEST_LENGTH]
    folder = repository.CACHE / f"{name}-{digest}"
    ready = folder / ".ready"
    with _locked(name):
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder)
            ready.touch()
    return folder


@contextmanager
def _locked(name: str) -> Iterator[None]:
    """Holds a lock that only one process can have."""
    repository.CACHE.mkdir(exist_ok=True)
    with (repository.CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str | Path], *, cwd: Path | None = None) -> None:
    name = Path(command[0]).name
    try:
        done = subprocess.run(  # noqa: S603 - a fixed list of commands
            command,
            cwd=cwd,
            check=False,
            capture_output=True,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},  # noqa: TID251 - an installer's
            timeout=_INSTALL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = type(error).__name__
    else:
        if done.returncode == 0:
            return
        reason = f"exit code {done.returncode}"
    raise ToolUnavailableError(f"{name} could not install what is needed ({reason})")


def main() -> None:
    """Installs every missing tool; prints those that cannot be installed."""
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
        "osls, serverless and dynalite": lambda: node_tool("osls"),
        "Redis": redis_server,
    }
    for version in OTHER_PYTHONS:
        tools[f"Python {version} with our own libraries"] = partial(devkit_env, version)
    with ThreadPoolExecutor(_MAX_CONCURRENT) as pool:
        running = {name: pool.submit(install) for name, install in tools.items()}
        for name, installed in running.items():
            sys.stdout.write(f"Tool: {name}\n")
            sys.stdout.flush()
            try:
                installed.result()
            except ToolUnavailableError as missing:
                sys.stdout.write(f"  not installed, its tests are skipped: {missing}\n")


if __name__ == "__main__":
    main()

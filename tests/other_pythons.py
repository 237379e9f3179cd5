"""Run the suite on the oldest and the newest Python that the clouds run.

The environments are kept in `.cache/`, so that the next time is quick. An interpreter
that is not here is skipped in plain words; with `--strict` that is a failure.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = {"3.10": "the newest on SCF", "3.13": "what Lambda runs"}
ROOT = Path(__file__).parents[1]
LOCK = ROOT / "devkit/requirements.txt"
PYENV = Path.home() / ".pyenv/versions"


def find_python(version: str) -> str | None:
    """Look for an interpreter on the path that works, then among pyenv's."""
    name = f"python{version}"
    on_path = [path] if (path := shutil.which(name)) else []
    installed = map(str, sorted(PYENV.glob(f"{version}*/bin/{name}"), reverse=True))
    for python in (*on_path, *installed):
        done = subprocess.run([python, "-c", ""], check=False, capture_output=True)
        if done.returncode == 0:
            return python
    return None


def make_environment(version: str, python: str) -> Path:
    """Make the locked environment, unless the cache has it; give its interpreter."""
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = ROOT / f".cache/python-{version}-{lock}"
    ready, inside = folder / ".ready", folder / "bin/python"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([python, "-m", "venv", folder], check=True)
        install = [inside, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        locked = ["--require-hashes", "-r", LOCK]
        ours = ["--no-deps", "--no-build-isolation", "-e", ROOT, "-e", ROOT / "devkit"]
        subprocess.run([*install, *locked], check=True)
        subprocess.run([*install, *ours], check=True)
        ready.touch()
    return inside


def main() -> int:
    """Run on each; give the exit status."""
    strict, status = "--strict" in sys.argv[1:], 0
    for version, why in VERSIONS.items():
        python = find_python(version)
        if python is None:
            print(f"Skipped: Python {version} ({why}) is not on this machine.")
            status = status or int(strict)
            continue
        print(f"Python {version} ({why}):", flush=True)
        run = [make_environment(version, python), "-m", "pytest", "-m", "not slow"]
        status = subprocess.run(run, cwd=ROOT, check=False).returncode or status
    return status


if __name__ == "__main__":
    sys.exit(main())

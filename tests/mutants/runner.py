"""Runs tests on a planted bug in a pytest process of its own."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from mutants.catalogue import Plant
from mutants.planting import ERRORS_FILE

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 180.0
END_SECONDS = 10.0
_OPTIONS = [  # one process ends with kept connections open: no failure here
    *("-W", "ignore::ResourceWarning"),
    *("-p", "mutants.plugin", "-p", "no:randomly", "-p", "no:cacheprovider"),
    *("-n0", "-x", "-vvv", "--tb=short", "-rfE", "--no-skips", "--hypothesis-seed=0"),
]


class Verdict(NamedTuple):
    """What became of one plant.

    Attributes:
        caught_by: The test that failed, or "" where none did.
        problem: "" if a test caught it as expected; else what is wrong.
        output: What pytest wrote.
    """

    plant: Plant
    caught_by: str
    problem: str
    output: str


def try_plant(plant: Plant) -> Verdict:
    """Run the tests named for a plant on the planted service."""
    with tempfile.TemporaryDirectory(prefix="kycourier-mutants-") as folder:
        errors = Path(folder, "errors")
        status, output = run_tests(plant.tests, Path(folder), "--plant", plant.name)
        broken = errors.read_text().splitlines() if errors.exists() else []
    failed = re.search(r"^FAILED (?:tests/)?(.*?)(?: - .*)?$", output, re.MULTILINE)
    caught_by = failed[1] if failed and status == 1 else ""
    missing = [word for word in plant.finding if word not in output]
    if broken:
        problem = f"the plant itself fails: {broken[0]}"
    elif status == 0:
        problem = "survived"
    elif not caught_by:
        problem = "\n".join(["no verdict:", *output.strip().splitlines()[-3:]])
    elif missing:
        problem = f"caught, but not as {', '.join(missing)}"
    else:
        problem = ""
    return Verdict(plant, caught_by, problem, output)


def find_failure_without_plants(tests: str) -> str:
    """Run tests on the service as it is; return what fails, or ""."""
    with tempfile.TemporaryDirectory(prefix="kycourier-mutants-") as folder:
        status, output = run_tests(tests, Path(folder))
    lines = output.strip().splitlines()
    return "" if status == 0 else "\n".join([f"{tests}:", *lines[-3:]])


def run_tests(tests: str, folder: Path, *options: str) -> tuple[int, str]:
    """Run pytest with `tests` as its arguments; return exit status and output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *_OPTIONS, *options, *shlex.split(tests)],
        cwd=ROOT,
        env=_environ(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # pytest ends the emulators it started
        try:
            process.communicate(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        return -1, f"did not end within {TIMEOUT_SECONDS:.0f} s"
    return process.returncode, output


def _environ(folder: Path) -> dict[str, str]:
    environ = os.environ  # noqa: TID251 - a test program
    paths = [str(ROOT / "tests"), environ.get("PYTHONPATH", "")]
    return {
        **environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONHASHSEED": "0",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
        ERRORS_FILE: str(folder / "errors"),
    }

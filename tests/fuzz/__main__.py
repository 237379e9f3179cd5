"""`make fuzz`: fuzzes each target, guided by coverage, for a limited time.

Exits with 1 on a finding, which is saved in `corpus/`, where the test suite replays it.
Other new inputs are kept in `.cache` for the next run; `--keep` adds those that reach
new code to `corpus/`.
"""

import argparse
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import CACHE, ROOT
from kycourier_devkit.tool_envs import python_tool

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
FINDING = "finding-"
MAX_BYTES = 4096
INPUT_SECONDS = 10
MAX_MB = 1024
GRACE_SECONDS = 60
ROW = "{:<18} {:>9} {:>8} {:>5} {:>6} {:>7}  {}"


class Fuzzed(NamedTuple):
    """The result of fuzzing one target."""

    target: str
    runs: str
    rate: str
    edges: str
    kept: str
    peak_mb: str
    output: str
    is_finding: bool

    def row(self) -> str:
        """Return the line of the table."""
        return ROW.format(*self[:6], "a finding" if self.is_finding else "ok")


class Fuzzer:
    """Runs atheris on a module of targets and a folder of inputs."""

    def __init__(
        self, python: Path, *, module: str, folder: Path, corpus: Path, found: Path
    ) -> None:
        self._python, self._module, self._folder = python, module, folder
        self._corpus, self._found = corpus, found

    def fuzz(self, target: str, seconds: int) -> Fuzzed:
        """Fuzz one target for some seconds."""
        seeds, found = self._corpus / target, self._found / target
        seeds.mkdir(parents=True, exist_ok=True)
        found.mkdir(parents=True, exist_ok=True)
        ended = self._run(
            target,
            seconds + GRACE_SECONDS,
            f"-max_total_time={seconds}",
            f"-artifact_prefix={seeds / FINDING}",
            "-print_final_stats=1",
            found,
            seeds,
        )
        text = ended.stdout
        return Fuzzed(
            target,
            runs=_find(r"number_of_executed_units: (\d+)", text),
            rate=_find(r"average_exec_per_sec: +(\d+)", text),
            edges=_find(r"cov: (\d+)", text),
            kept=_find(r"corp: (\d+)", text),
            peak_mb=_find(r"peak_rss_mb: +(\d+)", text),
            output=text,
            is_finding=ended.returncode != 0,
        )

    def keep(self, target: str) -> None:
        """Add the inputs that reach new code to the corpus."""
        into, found = self._corpus / target, self._found / target
        self._run(target, GRACE_SECONDS * 5, "-merge=1", into, found)

    def _run(
        self, target: str, seconds: int, *arguments: object
    ) -> subprocess.CompletedProcess[str]:
        command = [self._python, HERE / "atheris_run.py", self._module, target]
        limits = [
            f"-max_len={MAX_BYTES}",
            f"-timeout={INPUT_SECONDS}",
            f"-rss_limit_mb={MAX_MB}",
        ]
        ours = ("layers/service/python", "devkit", "tests")
        paths = (self._folder, *(ROOT / each for each in ours))
        return subprocess.run(
            [*command, *limits, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},  # noqa: TID251 - a child's
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )


def _find(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    return found[-1] if found else "-"


def main() -> int:
    """Parse the command line and fuzz; return the exit status."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="in all")
    parser.add_argument("--module", default="fuzz.targets")
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--found", type=Path, default=CACHE / "fuzz")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("target", nargs="*")
    options = parser.parse_args()
    try:
        python = python_tool("atheris") / "python"
    except ToolUnavailableError as missing:
        print(f"Cannot fuzz: {missing}")
        return 1
    names = options.target or list(import_module(options.module).TARGETS)
    fuzzer = Fuzzer(
        python,
        module=options.module,
        folder=options.folder,
        corpus=options.corpus,
        found=options.found,
    )
    print(ROW.format("target", "inputs", "a second", "edges", "corpus", "MB", ""))
    findings = 0
    for name in names:
        fuzzed = fuzzer.fuzz(name, max(1, options.seconds // len(names)))
        print(fuzzed.row(), flush=True)
        if fuzzed.is_finding:
            findings += 1
            print(fuzzed.output[-4000:])
        elif options.keep:
            fuzzer.keep(name)
    print(f"{findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

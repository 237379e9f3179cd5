"""`make fuzz`: every target in turn, guided by coverage, for a bounded time.

Prints what was done, and ends with 1 on a finding, which stays in `corpus/` and so is
replayed by the suite from then on. What else is new is kept in `.cache` for the next
time; `--keep` adds to `corpus/` what reached something that nothing there reaches.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.toolbox import CACHE, ROOT, python_tool

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
FINDING = "finding-"
MOST_BYTES = 4096
INPUT_SECONDS = 10
MOST_MB = 1024
GRACE_SECONDS = 60
ROW = "{:<18} {:>9} {:>8} {:>5} {:>6} {:>7}  {}"


class Fuzzed(NamedTuple):
    """What came of one target."""

    target: str
    runs: str
    rate: str
    edges: str
    kept: str
    peak_mb: str
    said: str
    is_finding: bool

    def row(self) -> str:
        """Spell it as a line of the table."""
        said = "a finding" if self.is_finding else "ok"
        return ROW.format(*self[:6], said)


class Fuzzer:
    """Runs atheris over a module of targets and a folder of their inputs."""

    def __init__(
        self, python: Path, *, module: str, folder: Path, corpus: Path, found: Path
    ) -> None:
        self._python, self._module, self._folder = python, module, folder
        self._corpus, self._found = corpus, found

    def fuzz(self, target: str, seconds: int) -> Fuzzed:
        """Fuzz one target."""
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
            said=text,
            is_finding=ended.returncode != 0,
        )

    def keep(self, target: str) -> None:
        """Add what reaches further to the folder of inputs."""
        into, found = self._corpus / target, self._found / target
        self._run(target, GRACE_SECONDS * 5, "-merge=1", into, found)

    def _run(
        self, target: str, seconds: int, *arguments: object
    ) -> subprocess.CompletedProcess[str]:
        command = [self._python, HERE / "atheris_run.py", self._module, target]
        limits = [
            f"-max_len={MOST_BYTES}",
            f"-timeout={INPUT_SECONDS}",
            f"-rss_limit_mb={MOST_MB}",
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
    """Fuzz; give the exit code."""
    parser = argparse.ArgumentParser(description="Fuzz the parsers.")
    parser.add_argument("--seconds", type=int, default=60, help="in all")
    parser.add_argument("--module", default="targets")
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--found", type=Path, default=CACHE / "fuzz")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("target", nargs="*")
    given = parser.parse_args()
    try:
        python = python_tool("atheris") / "python"
    except ToolMissing as missing:
        print(f"There is nothing to fuzz with: {missing}")
        return 1
    names = given.target or target_names()
    fuzzer = Fuzzer(
        python,
        module=given.module,
        folder=given.folder,
        corpus=given.corpus,
        found=given.found,
    )
    print(ROW.format("target", "inputs", "a second", "edges", "corpus", "MB", ""))
    findings = 0
    for name in names:
        fuzzed = fuzzer.fuzz(name, max(1, given.seconds // len(names)))
        print(fuzzed.row(), flush=True)
        if fuzzed.is_finding:
            findings += 1
            print(fuzzed.said[-4000:])
        elif given.keep:
            fuzzer.keep(name)
    print(f"{findings} findings")
    return 1 if findings else 0


def target_names() -> list[str]:
    """Name the targets; they are imported only here, without being instrumented."""
    sys.path[:0] = [str(HERE), str(ROOT / "tests")]
    from targets import TARGETS  # noqa: PLC0415 - as said

    return list(TARGETS)


if __name__ == "__main__":
    sys.exit(main())

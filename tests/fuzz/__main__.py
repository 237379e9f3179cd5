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

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import CACHE, ROOT
from kycourier_devkit.tool_envs import python_tool

HERE = Path(__file__).parent
FINDING = "finding-"
LIMITS = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=1024"]  # bytes, s, MB
GRACE_SECONDS = 60
STATS = {
    "inputs": r"number_of_executed_units: (\d+)",
    "a second": r"average_exec_per_sec: +(\d+)",
    "edges": r"cov: (\d+)",
    "corpus": r"corp: (\d+)",
    "MB": r"peak_rss_mb: +(\d+)",
}
ROW = "{:<18} " + "{:>9} " * len(STATS) + " {}"


class Fuzzer:
    """Runs atheris on a target; the options name its module and its folders."""

    def __init__(self, python: Path, options: argparse.Namespace) -> None:
        self._python, self._options = python, options

    def fuzz(self, target: str, seconds: int) -> subprocess.CompletedProcess[str]:
        """Fuzz one target for some seconds."""
        corpus, found = self._options.corpus / target, self._options.found / target
        for folder in (corpus, found):
            folder.mkdir(parents=True, exist_ok=True)
        return self._run(
            target,
            seconds + GRACE_SECONDS,
            f"-max_total_time={seconds}",
            f"-artifact_prefix={corpus / FINDING}",
            "-print_final_stats=1",
            found,
            corpus,
        )

    def keep(self, target: str) -> None:
        """Add the inputs that reach new code to the corpus."""
        corpus, found = self._options.corpus / target, self._options.found / target
        self._run(target, GRACE_SECONDS * 5, "-merge=1", corpus, found)

    def _run(
        self, target: str, seconds: int, *arguments: object
    ) -> subprocess.CompletedProcess[str]:
        script, module = HERE / "atheris_run.py", self._options.module
        ours = ("layers/service/python", "devkit", "tests")
        paths = (self._options.folder, *(ROOT / each for each in ours))
        return subprocess.run(
            [self._python, script, module, target, *LIMITS, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},  # noqa: TID251 - a child's
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )


def main() -> int:
    """Parse the command line and fuzz; return the exit status."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="in all")
    parser.add_argument("--module", default="fuzz.targets")
    parser.add_argument("--folder", type=Path, default=HERE)
    parser.add_argument("--corpus", type=Path, default=HERE / "corpus")
    parser.add_argument("--found", type=Path, default=CACHE / "fuzz")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("target", nargs="*")
    options = parser.parse_args()
    try:
        fuzzer = Fuzzer(python_tool("atheris") / "python", options)
    except ToolUnavailableError as missing:
        print(f"Cannot fuzz: {missing}")
        return 1
    names = options.target or list(import_module(options.module).TARGETS)
    print(ROW.format("target", *STATS, ""))
    findings = 0
    for name in names:
        ended = fuzzer.fuzz(name, max(1, options.seconds // len(names)))
        stats = [["-", *re.findall(each, ended.stdout)][-1] for each in STATS.values()]
        is_finding = ended.returncode != 0
        print(ROW.format(name, *stats, "a finding" if is_finding else "ok"), flush=True)
        if is_finding:
            findings += 1
            print(ended.stdout[-4000:])
        elif options.keep:
            fuzzer.keep(name)
    print(f"{findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

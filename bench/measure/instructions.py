"""Counts the instructions of a call with valgrind, which noise does not change.

Only user mode is counted. Valgrind does not use the processor's SHA extensions, so
digests cost more here than by the clock.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bench.environment.worker import Worker
from bench.errors import BenchError

NOT_COUNTED = "Instructions were not counted"
LIMIT_SECONDS = 600.0
_TOTAL = re.compile(r"(?m)^(?:totals|summary): ([0-9]+)")

Start = Callable[[Sequence[str]], AbstractContextManager[Worker]]


def count_instructions(
    start: Start, call: Callable[[Worker], object], *, calls: int
) -> float:
    """Returns the mean instructions of `calls` calls, after two warm-up calls.

    Args:
        start: starts the process, below the command that it takes.
        call: makes one call.
        calls: how many are counted.

    Raises:
        BenchError: valgrind is missing or has failed.
    """
    if not (shutil.which("valgrind") and shutil.which("callgrind_control")):
        raise BenchError("valgrind is not on this machine")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "callgrind.out")
        wrapper = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no"]
        with start([*wrapper, f"--callgrind-out-file={out}"]) as worker:
            for _ in range(2):
                call(worker)
            _switch("on", worker.pid)
            for _ in range(calls):
                call(worker)
            _switch("off", worker.pid)
            worker.end()
        return _read_total(out) / calls


def _switch(to: str, pid: int) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        ["callgrind_control", "-i", to, str(pid)],  # noqa: S607 - whichever is installed
        check=False,
        capture_output=True,
    )
    if done.returncode:
        raise BenchError("callgrind_control cannot reach valgrind")


def _read_total(out: Path) -> int:
    found = _TOTAL.findall(out.read_text())
    if not found:
        raise BenchError("valgrind counted no instructions")
    return int(found[-1])

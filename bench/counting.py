"""Instructions that a call executes, by valgrind: the same on a noisy machine.

Counted in user mode alone. Valgrind knows no SHA extensions of the processor, so that
digests weigh more here than they do by the clock.
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from bench.processes import BenchFailed
from bench.worker import Worker

ABSENT = "Instructions were not counted"
LIMIT_SECONDS = 600.0
_TOTAL = re.compile(r"(?m)^(?:totals|summary): ([0-9]+)")

Start = Callable[[Sequence[str]], AbstractContextManager[Worker]]


def count_instructions(
    start: Start, call: Callable[[Worker], object], *, calls: int
) -> float:
    """Give the instructions of one call, from several after two that are not counted.

    `start` takes the command that the process is to be run by. Raises BenchFailed.
    """
    if not (shutil.which("valgrind") and shutil.which("callgrind_control")):
        raise BenchFailed("valgrind is not on this machine")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "callgrind.out")
        wrap = ["valgrind", "-q", "--tool=callgrind", "--instr-atstart=no"]
        with start([*wrap, f"--callgrind-out-file={out}"]) as worker:
            for _ in range(2):
                call(worker)
            _switch("on", worker.pid)
            for _ in range(calls):
                call(worker)
            _switch("off", worker.pid)
            worker.end()
        return _read_total(out) / calls


def _switch(to: str, pid: int) -> None:
    done = subprocess.run(  # noqa: S603 - our own list
        ["callgrind_control", "-i", to, str(pid)],  # noqa: S607 - whichever is installed
        check=False,
        capture_output=True,
    )
    if done.returncode:
        raise BenchFailed("callgrind_control does not reach valgrind")


def _read_total(out: Path) -> int:
    found = _TOTAL.findall(out.read_text())
    if not found:
        raise BenchFailed("valgrind counted nothing")
    return int(found[-1])

"""The bench's side of a stand-in: where it answers, and what it has counted."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.processes import Process, start

ROOT = Path(__file__).parents[1]
CPU = "cpu_seconds"


class StandIn:
    """One stand-in that runs."""

    def __init__(self, process: Process, scheme: str) -> None:
        self._process, self.pid = process, process.pid
        self.port: int = process.read()["port"]
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def counts(self) -> Counter[str]:
        """Give connections, requests by name and seconds of CPU since its start."""
        return Counter(self._process.ask({}))

    def tell(self, **members: object) -> None:
        """Tell it what it is to do from now on."""
        self._process.ask(members)


@contextmanager
def start_stand_in(
    name: str, *arguments: str, folder: Path, scheme: str = "http"
) -> Iterator[StandIn]:
    """Start `stand_ins/<name>.py`; it ends with the block."""
    command = [sys.executable, "-m", f"bench.stand_ins.{name}", *arguments]
    environ, log = {"PYTHONPATH": str(ROOT)}, folder / f"{name}.log"
    with start(command, name=name, environ=environ, folder=folder, log=log) as process:
        yield StandIn(process, scheme)

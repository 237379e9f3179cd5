"""Starts an emulator and reads its counters."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.environment.child_process import ChildProcess, start_child

ROOT = Path(__file__).parents[2]
CPU = "cpu_seconds"


class Emulator:
    """A running emulator."""

    def __init__(self, child: ChildProcess, scheme: str) -> None:
        self._child, self.pid = child, child.pid
        self.port: int = child.read()["port"]
        self.url = f"{scheme}://127.0.0.1:{self.port}"

    def counters(self) -> Counter[str]:
        """Returns connections, requests by name and CPU seconds since its start."""
        return Counter(self._child.call({}))

    def configure(self, **members: object) -> None:
        """Changes its behaviour from now on."""
        self._child.call(members)


@contextmanager
def start_emulator(
    name: str, *arguments: str, folder: Path, scheme: str = "http"
) -> Iterator[Emulator]:
    """Runs `emulators/<name>.py` until the end of the block."""
    command = [sys.executable, "-m", f"bench.emulators.{name}", *arguments]
    environ, log = {"PYTHONPATH": str(ROOT)}, folder / f"{name}.log"
    with start_child(
        command, name=name, environ=environ, folder=folder, log=log
    ) as child:
        yield Emulator(child, scheme)

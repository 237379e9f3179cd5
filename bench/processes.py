"""Processes that the bench starts: JSON lines in and out, and they end with it."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

END_SECONDS = 5.0


class BenchFailed(Exception):  # noqa: N818 - reads as a fact
    """The bench itself could not measure: in words."""


class Process:
    """A child that answers each line with one."""

    def __init__(self, child: "subprocess.Popen[str]", name: str) -> None:
        self._child, self._name = child, name

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._child.pid

    def ask(self, order: Mapping[str, object]) -> dict[str, Any]:
        """Send an order and give its answer. Raises BenchFailed."""
        print(json.dumps(order), file=_stream(self._child.stdin), flush=True)
        return self.read()

    def read(self) -> dict[str, Any]:
        """Read an answer. Raises BenchFailed."""
        line = _stream(self._child.stdout).readline()
        if not line:
            raise BenchFailed(f"{self._name} ended (status {self._child.wait()})")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Let it end by itself; wait until it has."""
        _stream(self._child.stdin).close()
        self._child.wait()


def _stream(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise BenchFailed("a process has no pipe")
    return stream


@contextmanager
def start(
    command: Sequence[str | Path],
    *,
    name: str,
    environ: Mapping[str, str],
    folder: Path,
    log: Path,
) -> Iterator[Process]:
    """Start a process of our own, in a session that Ctrl-C does not reach.

    What it says on standard error goes to `log`. It ends with the block, or when its
    input does because we are gone.
    """
    with log.open("ab") as said:
        child = subprocess.Popen(  # noqa: S603 - our own list
            command,
            env=environ,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    try:
        yield Process(child, name)
    finally:
        for stream in (child.stdin, child.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        try:
            child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

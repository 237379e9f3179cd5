"""Child processes that exchange JSON lines with the bench and end with it."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bench.errors import BenchError

END_SECONDS = 5.0


class ChildProcess:
    """A child that writes one line for each line it reads."""

    def __init__(self, child: "subprocess.Popen[str]", name: str) -> None:
        self._child, self._name = child, name

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    def call(self, command: Mapping[str, object]) -> dict[str, Any]:
        """Sends a command and returns the response. Raises BenchError."""
        print(json.dumps(command), file=_stream(self._child.stdin), flush=True)
        return self.read()

    def read(self) -> dict[str, Any]:
        """Reads one line. Raises BenchError when the process has ended."""
        line = _stream(self._child.stdout).readline()
        if not line:
            raise BenchError(f"{self._name} ended (status {self._child.wait()})")
        response: dict[str, Any] = json.loads(line)
        return response

    def end(self) -> None:
        """Closes its input and waits until it has ended."""
        _stream(self._child.stdin).close()
        self._child.wait()


def _stream(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise BenchError("a process has no pipe")
    return stream


@contextmanager
def start_child(
    command: Sequence[str | Path],
    *,
    name: str,
    environ: Mapping[str, str],
    folder: Path,
    log: Path,
) -> Iterator[ChildProcess]:
    """Starts a process in its own session, so that Ctrl-C does not reach it.

    Its standard error goes to `log`. It ends with the block, or when its input is
    closed because the bench is gone.
    """
    with log.open("ab") as errors:
        child = subprocess.Popen(  # noqa: S603 - our own command
            command,
            env=environ,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield ChildProcess(child, name)
    finally:
        for stream in (child.stdin, child.stdout):
            if stream is not None and not stream.closed:
                stream.close()
        try:
            child.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

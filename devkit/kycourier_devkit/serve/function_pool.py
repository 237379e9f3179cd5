"""Several processes of one function, started as they are needed, as a cloud would."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Condition
from typing import IO, Any

from kycourier_devkit.errors import FunctionDied, FunctionFailed, FunctionProblem
from kycourier_devkit.functions.process import FunctionProcess


class FunctionPool:
    """Invokes one function from many threads, at most `most` at once."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        *,
        most: int = 1,
        log: int | IO[Any] = subprocess.DEVNULL,
    ) -> None:
        """Start the first process; `wait_until_ready` tells whether the file loads."""
        self._path, self._environ, self._log = path, environ, log
        self._most = most
        self._change = Condition()
        self._closed = False
        self._all: set[FunctionProcess] = set()
        self._idle = [self._start()]

    def wait_until_ready(self) -> None:
        """Wait for the first process. Raises FunctionNotStarted."""
        for process in list(self._idle):
            process.wait_until_ready()

    def invoke(self, event: object, *, timeout_seconds: float) -> Any:  # noqa: ANN401 - as the process does
        """Invoke the function in a free process. Raises FunctionProblem."""
        process = self._take()
        try:
            return process.invoke(event, timeout_seconds=timeout_seconds)
        except FunctionFailed:
            raise
        except FunctionProblem:
            self._drop(process)
            raise
        finally:
            self._give_back(process)

    def close(self) -> list[FunctionProcess]:
        """Take no more events; give the processes, which the caller is to end."""
        with self._change:
            self._closed = True
            self._change.notify_all()
            return list(self._all)

    def _take(self) -> FunctionProcess:
        with self._change:
            self._change.wait_for(
                lambda: self._closed or self._idle or len(self._all) < self._most
            )
            if self._closed:
                raise FunctionDied(self._path.stem, None)
            return self._idle.pop() if self._idle else self._start()

    def _start(self) -> FunctionProcess:
        process = FunctionProcess(self._path, self._environ, log=self._log)
        self._all.add(process)
        return process

    def _drop(self, process: FunctionProcess) -> None:
        """Forget a process that has ended; the next event starts another."""
        with self._change:
            if not self._closed:
                self._all.discard(process)
        process.close()

    def _give_back(self, process: FunctionProcess) -> None:
        with self._change:
            if process in self._all and not self._closed:
                self._idle.append(process)
            self._change.notify_all()

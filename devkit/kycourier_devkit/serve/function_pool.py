"""Runs one function in several processes, which it starts on demand."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from threading import Condition
from typing import IO, Any

from kycourier_devkit.emulators.local_runtime.process import FunctionProcess
from kycourier_devkit.errors import (
    FunctionError,
    FunctionExitedError,
    FunctionFailedError,
)


class FunctionPool:
    """Invokes one function from many threads; thread-safe."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        *,
        max_processes: int = 1,
        log: int | IO[Any] = subprocess.DEVNULL,
    ) -> None:
        """Starts the first process.

        Args:
            path: The function file.
            environ: The environment of the processes.
            max_processes: How many invocations can run at once.
            log: Receives the standard output and error of the processes.
        """
        self._path, self._environ, self._log = path, environ, log
        self._max_processes = max_processes
        self._changed = Condition()
        self._closed = False
        self._processes: set[FunctionProcess] = set()
        self._idle = [self._start()]

    def wait_until_ready(self) -> None:
        """Waits for the first process. Raises FunctionStartError if the file fails."""
        for process in list(self._idle):
            process.wait_until_ready()

    def invoke(self, event: object, *, timeout_seconds: float) -> Any:  # noqa: ANN401 - the handler's result
        """Invokes the function in a free process. Raises FunctionError."""
        process = self._acquire()
        try:
            return process.invoke(event, timeout_seconds=timeout_seconds)
        except FunctionFailedError:
            raise
        except FunctionError:
            self._discard(process)
            raise
        finally:
            self._release(process)

    def close(self) -> list[FunctionProcess]:
        """Rejects further invocations; returns the processes, to be stopped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            return list(self._processes)

    def _acquire(self) -> FunctionProcess:
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or self._idle
                    or len(self._processes) < self._max_processes
                )
            )
            if self._closed:
                raise FunctionExitedError(self._path.stem, None)
            return self._idle.pop() if self._idle else self._start()

    def _start(self) -> FunctionProcess:
        process = FunctionProcess(self._path, self._environ, log=self._log)
        self._processes.add(process)
        return process

    def _discard(self, process: FunctionProcess) -> None:
        """Closes a process that has ended; the next invocation starts another."""
        with self._changed:
            if not self._closed:
                self._processes.discard(process)
        process.close()

    def _release(self, process: FunctionProcess) -> None:
        with self._changed:
            if process in self._processes and not self._closed:
                self._idle.append(process)
            self._changed.notify_all()

"""Runs one function file in a process of its own.

The process ends with its parent, because the parent holds the other end of its request
pipe. A terminal's Ctrl-C does not reach it.
"""

import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import IO, Any

from kycourier_devkit.emulators.local_runtime.line_reader import LineReader
from kycourier_devkit.emulators.running_function import (
    END_SECONDS,
    START_SECONDS,
    TIME_LIMIT_SECONDS,
    read_or_kill,
    read_startup,
    start_or_close,
)
from kycourier_devkit.errors import (
    FunctionExitedError,
    FunctionFailedError,
    FunctionStartError,
    UsageError,
)

_STATUS_SECONDS = 1.0

Log = int | IO[Any]
Pipes = tuple[int, int]  # the child's ends: requests, replies
Launch = Callable[[Path, Mapping[str, str], Pipes, Log], "subprocess.Popen[bytes]"]
RefreshEnviron = Callable[[], Mapping[str, str]]


def function_file(name: str) -> Path:
    """Returns the path of a function file. Raises UsageError if it does not exist."""
    path = Path(__file__).parents[4] / "functions" / f"{name}.py"
    if not path.is_file():
        raise UsageError(
            f"functions/{name}.py is not beside the devkit:"
            " install it from a checkout with `pip install -e . -e devkit`"
        )
    return path


def _launch_child(
    path: Path, environ: Mapping[str, str], pipes: Pipes, log: Log
) -> subprocess.Popen[bytes]:
    """Starts the file under this Python."""
    module = "kycourier_devkit.emulators.local_runtime.child"
    return subprocess.Popen(  # noqa: S603 - this Python, our own file
        [sys.executable, "-m", module, str(path), *map(str, pipes)],
        env={**environ, "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        pass_fds=pipes,
        start_new_session=True,
    )


class FunctionProcess:
    """A running function file; a context manager. One invocation at a time."""

    def __init__(
        self,
        path: str | Path,
        environ: Mapping[str, str],
        *,
        log: Log = subprocess.DEVNULL,
        launch: Launch = _launch_child,
        refresh_environ: RefreshEnviron = dict,
    ) -> None:
        """Starts the process; `wait_until_ready` reports whether the file loads.

        Args:
            path: The function file.
            environ: The whole environment of the function.
            log: Where standard output and error go: a file or a `subprocess` constant.
            launch: Starts the process.
            refresh_environ: Returns the variables that the cloud sets anew before each
                invocation.
        """
        self.name, self._refresh_environ = Path(path).stem, refresh_environ
        their_requests, requests = os.pipe()
        replies, their_replies = os.pipe()
        try:
            pipes = (their_requests, their_replies)
            self._process = launch(Path(path), environ, pipes, log)
        except BaseException:
            os.close(requests)
            os.close(replies)
            raise
        finally:
            os.close(their_requests)
            os.close(their_replies)
        self._requests = os.fdopen(requests, "wb")
        self._replies = LineReader(replies)
        self._ready = False
        self._lock = Lock()

    def __enter__(self) -> "FunctionProcess":  # noqa: PYI034 - Self came with 3.11
        return start_or_close(self)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process.poll() is None

    def wait_until_ready(self, timeout_seconds: float = START_SECONDS) -> None:
        """Waits until the file has loaded. Raises FunctionStartError."""
        with self._lock:
            self._wait_until_ready(timeout_seconds)

    def invoke(
        self, event: object, *, timeout_seconds: float = TIME_LIMIT_SECONDS
    ) -> Any:  # noqa: ANN401 - the handler's JSON
        """Calls the handler with a JSON event and a time limit.

        Raises:
            FunctionFailedError: The handler raised; carries the error's code.
            FunctionTimeoutError: The time limit passed; the process is killed.
            FunctionExitedError: The process ended.
            FunctionStartError: The file does not load.
        """
        with self._lock:
            self._wait_until_ready(START_SECONDS)
            request = {
                "request_id": str(uuid.uuid4()),
                "limit_ms": timeout_seconds * 1000,
                "environ": dict(self._refresh_environ()),
                "event": event,
            }
            reply = self._exchange(request, timeout_seconds)
        if "error" in reply:
            raise FunctionFailedError(self.name, reply["error"])
        return reply["response"]

    def kill(self) -> None:
        """Ends the process at once (SIGKILL), whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def request_exit(self) -> None:
        """Closes the request pipe, which ends the process; `close` waits for it."""
        with contextlib.suppress(OSError):
            self._requests.close()

    def close(self, *, within_seconds: float = END_SECONDS) -> None:
        """Ends the process: on request, or killed if that takes too long."""
        self.request_exit()
        try:
            self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        with self._lock:
            self._replies.close()

    def _wait_until_ready(self, timeout_seconds: float) -> None:
        if self._ready:
            return
        reply = read_startup(self.name, self._read, timeout_seconds)
        if "setting" in reply:
            raise FunctionStartError(reply["setting"], is_setting=True)
        if "error" in reply:
            raise FunctionStartError(f"{self.name} did not start: {reply['error']}")
        self._ready = True

    def _exchange(self, request: object, timeout_seconds: float) -> dict[str, Any]:
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except (OSError, ValueError):  # ValueError: closed
            written = False
        else:
            written = True
        if not written:
            raise FunctionExitedError(self.name, self._wait_for_status())
        return self._read(timeout_seconds)

    def _read(self, timeout_seconds: float) -> dict[str, Any]:
        line = read_or_kill(self, self._replies.read, timeout_seconds)
        if not line:
            raise FunctionExitedError(self.name, self._wait_for_status())
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _wait_for_status(self) -> int | None:
        try:
            return self._process.wait(_STATUS_SECONDS)
        except subprocess.TimeoutExpired:
            return None

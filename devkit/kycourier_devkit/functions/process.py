"""One function file in a process of its own, as a cloud would run it.

The process ends with whoever started it: it reads its requests from a pipe, and the
pipe's end is its own. A terminal's Ctrl-C does not reach it.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Lock
from typing import IO, Any

from kycourier_devkit.errors import (
    FunctionDied,
    FunctionFailed,
    FunctionNotStarted,
    UsageProblem,
)
from kycourier_devkit.functions.line_reader import LineReader
from kycourier_devkit.functions.running import (
    RunningFunction,
    enter,
    read_in_time,
    read_start,
)

FUNCTIONS = ("refresh_ticket", "collect_results", "orders_api", "sweep_orders")
START_SECONDS = 30.0
TIME_LIMIT_SECONDS = 30.0
END_SECONDS = 0.5
_STATUS_SECONDS = 1.0

Log = int | IO[Any]
Pipes = tuple[int, int]  # the child's ends: its requests, its replies
Launch = Callable[[Path, Mapping[str, str], Pipes, Log], "subprocess.Popen[bytes]"]
Renew = Callable[[], Mapping[str, str]]


def function_file(name: str) -> Path:
    """Find a function of this repository. Raises UsageProblem when it is not there."""
    path = Path(__file__).parents[3] / "functions" / f"{name}.py"
    if not path.is_file():
        raise UsageProblem(
            f"functions/{name}.py is not beside the devkit:"
            " install it from a checkout with `pip install -e . -e devkit`"
        )
    return path


def _launch_plainly(
    path: Path, environ: Mapping[str, str], pipes: Pipes, log: Log
) -> subprocess.Popen[bytes]:
    """Start the file alone, by our own Python."""
    module = "kycourier_devkit.functions.host"
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
    """A running function file; a context manager. One invocation at a time.

    `environ` is all that the function sees of the environment. `log` takes its standard
    output and error: a file, or what `subprocess` understands. `launch` starts it;
    `renew` gives the variables that its cloud sets anew before each invocation.
    """

    def __init__(
        self,
        path: str | Path,
        environ: Mapping[str, str],
        *,
        log: Log = subprocess.DEVNULL,
        launch: Launch = _launch_plainly,
        renew: Renew = dict,
    ) -> None:
        """Start the process; `wait_until_ready` tells whether the file loads."""
        self.name, self._renew = Path(path).stem, renew
        theirs, requests = os.pipe()
        replies, answered = os.pipe()
        try:
            self._process = launch(Path(path), environ, (theirs, answered), log)
        except BaseException:
            os.close(requests)
            os.close(replies)
            raise
        finally:
            os.close(theirs)
            os.close(answered)
        self._requests = os.fdopen(requests, "wb")
        self._replies = LineReader(replies)
        self._ready = False
        self._turn = Lock()

    def __enter__(self) -> "FunctionProcess":  # noqa: PYI034 - Self came with 3.11
        return enter(self)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Tell whether the process is there."""
        return self._process.poll() is None

    def wait_until_ready(self, timeout_seconds: float = START_SECONDS) -> None:
        """Wait until the file has loaded. Raises FunctionNotStarted."""
        with self._turn:
            self._wait_until_ready(timeout_seconds)

    def invoke(
        self, event: object, *, timeout_seconds: float = TIME_LIMIT_SECONDS
    ) -> Any:  # noqa: ANN401 - JSON, as the handler gave it
        """Call the handler with a JSON event and `timeout_seconds` to live.

        Raises FunctionFailed with the error's code, FunctionTimedOut (the process is
        ended then, as a cloud does), FunctionDied, and FunctionNotStarted.
        """
        with self._turn:
            self._wait_until_ready(START_SECONDS)
            request = {
                "request_id": str(uuid.uuid4()),
                "limit_ms": timeout_seconds * 1000,
                "environ": dict(self._renew()),
                "event": event,
            }
            reply = self._exchange(request, timeout_seconds)
        if "error" in reply:
            raise FunctionFailed(self.name, reply["error"])
        return reply["answer"]

    def kill(self) -> None:
        """End the process at once (SIGKILL), in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()

    def hang_up(self) -> None:
        """Let the process end by itself; `close` waits for it."""
        with contextlib.suppress(OSError):
            self._requests.close()

    def close(self, *, within_seconds: float = END_SECONDS) -> None:
        """End the process: by itself, or killed when that takes too long."""
        self.hang_up()
        try:
            self._process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        with self._turn:
            self._replies.close()

    def _wait_until_ready(self, timeout_seconds: float) -> None:
        if self._ready:
            return
        reply = read_start(self.name, self._read, timeout_seconds)
        if "setting" in reply:
            raise FunctionNotStarted(reply["setting"], is_setting=True)
        if "error" in reply:
            raise FunctionNotStarted(f"{self.name} did not start: {reply['error']}")
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
            raise FunctionDied(self.name, self._status())
        return self._read(timeout_seconds)

    def _read(self, timeout_seconds: float) -> dict[str, Any]:
        line = read_in_time(self, self._replies.read, timeout_seconds)
        if not line:
            raise FunctionDied(self.name, self._status())
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _status(self) -> int | None:
        try:
            return self._process.wait(_STATUS_SECONDS)
        except subprocess.TimeoutExpired:
            return None


def close_all(processes: Iterable[RunningFunction]) -> None:
    """End several processes, all within about half a second."""
    processes = list(processes)
    ends_at = time.monotonic() + END_SECONDS
    try:
        for process in processes:
            process.hang_up()
        for process in processes:
            process.close(within_seconds=max(0.0, ends_at - time.monotonic()))
    except BaseException:  # a second Ctrl-C
        for process in processes:
            process.kill()
        raise

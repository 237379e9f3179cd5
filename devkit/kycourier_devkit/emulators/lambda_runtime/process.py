"""Runs one function of the unpacked packages under the Lambda runtime client.

As on Lambda, the process is killed at its time limit, and the next event starts a new
one. The process ends with its parent, because the Runtime API does.
"""

import json
import subprocess
import uuid
from collections.abc import Mapping
from threading import Lock
from typing import IO, Any

from kycourier.adapters.system import SystemClock
from kycourier.core.errors import HandlerFailedError, SettingError
from kycourier_devkit.emulators.lambda_runtime.deployment import (
    ACCOUNT,
    REGION,
    LambdaDeployment,
)
from kycourier_devkit.emulators.lambda_runtime.runtime_api import (
    Invocation,
    RuntimeEvent,
    RuntimeEventKind,
)
from kycourier_devkit.emulators.lambda_runtime.runtime_process import RuntimeProcess
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
)


class LambdaProcess:
    """A running function of the packages; a context manager. One event at a time."""

    def __init__(
        self,
        name: str,
        deployment: LambdaDeployment,
        environ: Mapping[str, str],
        *,
        log: int | IO[Any] = subprocess.DEVNULL,
    ) -> None:
        """Starts the process; `wait_until_ready` reports whether the file loads.

        Args:
            name: The function file's name, without its ending.
            deployment: Where the packages are unpacked.
            environ: The function's own variables; Lambda's are added.
            log: Where standard output and error go: a file or a `subprocess` constant.
        """
        self.name = name
        self._deployment, self._environ, self._log = deployment, dict(environ), log
        self._lock = Lock()
        self._is_closed = False
        self._has_started = False  # or failed to: the outcome is known
        self._runtime = self._start()

    def __enter__(self) -> "LambdaProcess":  # noqa: PYI034 - Self came with 3.11
        return start_or_close(self)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The id of the process that is running, or ran last."""
        return self._runtime.pid

    @property
    def is_running(self) -> bool:
        """Whether a process is alive."""
        return self._runtime.status is None

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
            self._runtime.enqueue(self._build_invocation(event, timeout_seconds))
            result = self._read(timeout_seconds)
        if result.kind is RuntimeEventKind.FAILED:
            raise FunctionFailedError(self.name, _error_code(result))
        return json.loads(result.body)

    def kill(self) -> None:
        """Ends the process at once (SIGKILL), whatever it is doing."""
        self._runtime.kill()

    def request_exit(self) -> None:
        """Asks the process to end (SIGTERM); `close` waits for it."""
        self._is_closed = True
        self._runtime.terminate()

    def close(self, *, within_seconds: float = END_SECONDS) -> None:
        """Ends the process: on request, or killed if that takes too long."""
        self._is_closed = True
        self._runtime.close(within_seconds=within_seconds)

    def _start(self) -> RuntimeProcess:
        return RuntimeProcess(self._deployment, self.name, self._environ, log=self._log)

    def _restart(self) -> None:
        self._runtime.close(within_seconds=0)
        self._runtime, self._has_started = self._start(), False
        if self._is_closed:  # by another thread meanwhile
            self._runtime.close(within_seconds=0)
            raise FunctionExitedError(self.name, None)

    def _wait_until_ready(self, timeout_seconds: float) -> None:
        if self._is_closed:
            raise FunctionExitedError(self.name, self._runtime.status)
        if self._has_started and not self.is_running:
            self._restart()
        if self._has_started:
            return
        self._has_started = True
        event = read_startup(self.name, self._read, timeout_seconds)
        if event.kind is not RuntimeEventKind.READY:
            raise _start_error(self.name, event)

    def _build_invocation(self, event: object, timeout_seconds: float) -> Invocation:
        region = self._environ.get("AWS_REGION", REGION)
        partition = "aws-cn" if region.startswith("cn-") else "aws"
        arn = f"arn:{partition}:lambda:{region}:{ACCOUNT}:function:{self.name}"
        now = SystemClock().now().timestamp()
        return Invocation(
            request_id=str(uuid.uuid4()),
            event=json.dumps(event).encode(),
            deadline_ms=int((now + timeout_seconds) * 1000),
            function_arn=arn,
            trace_id=f"Root=1-{int(now):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        )

    def _read(self, timeout_seconds: float) -> RuntimeEvent:
        event = read_or_kill(self, self._runtime.read, timeout_seconds)
        if event.kind is RuntimeEventKind.EXITED:
            raise FunctionExitedError(self.name, self._runtime.status)
        return event


def _start_error(name: str, event: RuntimeEvent) -> FunctionStartError:
    """Builds the error of a file that does not load, from the posted init error."""
    posted = json.loads(event.body)
    kind = posted["errorType"]
    if kind == SettingError.__name__:
        sentence = posted["errorMessage"].removeprefix(f"{SettingError.code}: ")
        return FunctionStartError(sentence, is_setting=True)
    return FunctionStartError(f"{name} did not start: {kind}")


def _error_code(event: RuntimeEvent) -> str:
    """Returns the code of a handler's error, or the exception's name."""
    posted = json.loads(event.body)
    if posted["errorType"] != HandlerFailedError.__name__:
        return str(posted["errorType"])
    return str(posted["errorMessage"]).removeprefix(f"{HandlerFailedError.code}: ")

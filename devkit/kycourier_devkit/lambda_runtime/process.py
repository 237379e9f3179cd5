"""One function under Lambda's own runtime client, from the unpacked packages.

As on Lambda it is ended at its time limit, and what has ended starts afresh with the
next event. The process ends with whoever started it: its Runtime API is gone then.
"""

import json
import subprocess
import uuid
from collections.abc import Mapping
from threading import Lock
from typing import IO, Any

from kycourier.adapters.system import SystemClock
from kycourier.core.errors import HandlerFailed, SettingError
from kycourier_devkit.errors import (
    FunctionDied,
    FunctionFailed,
    FunctionNotStarted,
)
from kycourier_devkit.functions.process import (
    END_SECONDS,
    START_SECONDS,
    TIME_LIMIT_SECONDS,
)
from kycourier_devkit.functions.running import enter, read_in_time, read_start
from kycourier_devkit.lambda_runtime.deployment import ACCOUNT, REGION, Deployment
from kycourier_devkit.lambda_runtime.runtime_api import Invocation, Kind, Report
from kycourier_devkit.lambda_runtime.runtime_process import RuntimeProcess


class LambdaProcess:
    """A function of the packages, running; a context manager. One event at a time.

    `environ` is the function's own part of the environment; Lambda's is added. `log`
    takes standard output and error: a file, or what `subprocess` understands.
    """

    def __init__(
        self,
        name: str,
        deployment: Deployment,
        environ: Mapping[str, str],
        *,
        log: int | IO[Any] = subprocess.DEVNULL,
    ) -> None:
        """Start cold; `wait_until_ready` tells whether the file loads."""
        self.name = name
        self._deployment, self._environ, self._log = deployment, dict(environ), log
        self._turn = Lock()
        self._is_closed = False
        self._is_settled = False  # whether the start's outcome is known
        self._runtime = self._start()

    def __enter__(self) -> "LambdaProcess":  # noqa: PYI034 - Self came with 3.11
        return enter(self)

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The number of the process that runs, or ran last."""
        return self._runtime.pid

    @property
    def is_running(self) -> bool:
        """Tell whether a process is there."""
        return self._runtime.status is None

    def wait_until_ready(self, timeout_seconds: float = START_SECONDS) -> None:
        """Wait until the file has loaded. Raises FunctionNotStarted."""
        with self._turn:
            self._wait_until_ready(timeout_seconds)

    def invoke(
        self, event: object, *, timeout_seconds: float = TIME_LIMIT_SECONDS
    ) -> Any:  # noqa: ANN401 - JSON, as the handler gave it
        """Call the handler with a JSON event and `timeout_seconds` to live.

        Raises FunctionFailed with the error's code, FunctionTimedOut (the process is
        ended then), FunctionDied, and FunctionNotStarted.
        """
        with self._turn:
            self._wait_until_ready(START_SECONDS)
            self._runtime.offer(self._build_invocation(event, timeout_seconds))
            report = self._read(timeout_seconds)
        if report.kind is Kind.FAILED:
            raise FunctionFailed(self.name, _name_failure(report))
        return json.loads(report.body)

    def kill(self) -> None:
        """End the process at once (SIGKILL), in the middle of whatever it does."""
        self._runtime.kill()

    def hang_up(self) -> None:
        """Ask the process to end (SIGTERM); `close` waits for it."""
        self._is_closed = True
        self._runtime.terminate()

    def close(self, *, within_seconds: float = END_SECONDS) -> None:
        """End the process: asked to, or killed when that takes too long."""
        self._is_closed = True
        self._runtime.close(within_seconds=within_seconds)

    def _start(self) -> RuntimeProcess:
        return RuntimeProcess(self._deployment, self.name, self._environ, log=self._log)

    def _start_afresh(self) -> None:
        self._runtime.close(within_seconds=0)
        self._runtime, self._is_settled = self._start(), False
        if self._is_closed:  # meanwhile, by another thread
            self._runtime.close(within_seconds=0)
            raise FunctionDied(self.name, None)

    def _wait_until_ready(self, timeout_seconds: float) -> None:
        if self._is_closed:
            raise FunctionDied(self.name, self._runtime.status)
        if self._is_settled and not self.is_running:
            self._start_afresh()
        if self._is_settled:
            return
        self._is_settled = True
        report = read_start(self.name, self._read, timeout_seconds)
        if report.kind is not Kind.READY:
            raise _tell_start(self.name, report)

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

    def _read(self, timeout_seconds: float) -> Report:
        report = read_in_time(self, self._runtime.read, timeout_seconds)
        if report.kind is Kind.ENDED:
            raise FunctionDied(self.name, self._runtime.status)
        return report


def _tell_start(name: str, report: Report) -> FunctionNotStarted:
    """Make the error of a file that does not load; a setting's is its sentence."""
    told = json.loads(report.body)
    kind = told["errorType"]
    if kind == SettingError.__name__:
        sentence = told["errorMessage"].removeprefix(f"{SettingError.code}: ")
        return FunctionNotStarted(sentence, is_setting=True)
    return FunctionNotStarted(f"{name} did not start: {kind}")


def _name_failure(report: Report) -> str:
    """Name what left the handler: its code, or the exception's name."""
    told = json.loads(report.body)
    if told["errorType"] != HandlerFailed.__name__:
        return str(told["errorType"])
    return str(told["errorMessage"]).removeprefix(f"{HandlerFailed.code}: ")

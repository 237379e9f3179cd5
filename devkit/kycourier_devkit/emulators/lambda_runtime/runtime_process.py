"""Runs the Lambda runtime client on one function file, with its own Runtime API."""

import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from kycourier_devkit.emulators.lambda_runtime.deployment import (
    LambdaDeployment,
    build_environ,
)
from kycourier_devkit.emulators.lambda_runtime.runtime_api import (
    Invocation,
    RuntimeApi,
    RuntimeEvent,
    RuntimeEventKind,
)
from kycourier_devkit.emulators.running_function import ReadTimedOut


class RuntimeProcess:
    """One process of `awslambdaric`. It ends when its Runtime API does."""

    def __init__(
        self,
        deployment: LambdaDeployment,
        name: str,
        environ: Mapping[str, str],
        *,
        log: int | IO[Any],
    ) -> None:
        """Starts it; its first event shows whether the file loads."""
        self._api = RuntimeApi()
        python = str(deployment.python)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - Lambda's runtime client
                [python, "-m", "awslambdaric", f"{name}.handler"],
                cwd=deployment.task,
                env=build_environ(deployment, name, environ, api=self._api.address),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        except BaseException:
            self._api.close()
            raise
        threading.Thread(target=self._report_exit, daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit code, or minus the signal's number; None while it runs."""
        return self._process.poll()

    def enqueue(self, invocation: Invocation) -> None:
        """Delivers an invocation at the next poll."""
        self._api.enqueue(invocation)

    def read(self, timeout_seconds: float) -> RuntimeEvent:
        """Returns the next event. Raises ReadTimedOut."""
        ends_at = time.monotonic() + timeout_seconds
        try:
            event = self._api.events.get(timeout=timeout_seconds)
        except queue.Empty:
            pass
        else:
            if event.kind is RuntimeEventKind.INIT_FAILED:
                self._wait(ends_at - time.monotonic())
            return event
        raise ReadTimedOut

    def terminate(self) -> None:
        """Asks the process to end (SIGTERM)."""
        self._process.terminate()

    def kill(self) -> None:
        """Ends the process at once (SIGKILL)."""
        self._process.kill()
        self._process.wait()

    def close(self, *, within_seconds: float) -> None:
        """Ends the process, killed if that takes too long, and its Runtime API."""
        self.terminate()
        self._wait(within_seconds)
        self.kill()
        self._api.close()

    def _wait(self, seconds: float) -> None:
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return

    def _report_exit(self) -> None:
        self._process.wait()
        self._api.events.put(RuntimeEvent(RuntimeEventKind.EXITED))

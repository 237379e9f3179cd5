"""One life of a runtime process: Lambda's client on one function file, and its API."""

import queue
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import IO, Any

from kycourier_devkit.functions.line_reader import Late
from kycourier_devkit.lambda_runtime.deployment import Deployment, build_environ
from kycourier_devkit.lambda_runtime.runtime_api import (
    Invocation,
    Kind,
    Report,
    RuntimeApi,
)


class RuntimeProcess:
    """`awslambdaric` on one handler. It ends when its API does."""

    def __init__(
        self,
        deployment: Deployment,
        name: str,
        environ: Mapping[str, str],
        *,
        log: int | IO[Any],
    ) -> None:
        """Start it; its first report tells whether the file loads."""
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
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """The exit code, or minus the signal's number; None while it runs."""
        return self._process.poll()

    def offer(self, invocation: Invocation) -> None:
        """Hand an invocation over."""
        self._api.offer(invocation)

    def read(self, timeout_seconds: float) -> Report:
        """Give the next report. Raises Late."""
        ends_at = time.monotonic() + timeout_seconds
        try:
            report = self._api.reports.get(timeout=timeout_seconds)
        except queue.Empty:
            pass
        else:
            if report.kind is Kind.NOT_STARTED:
                self._wait(ends_at - time.monotonic())
            return report
        raise Late

    def terminate(self) -> None:
        """Ask the process to end (SIGTERM)."""
        self._process.terminate()

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self._process.kill()
        self._process.wait()

    def close(self, *, within_seconds: float) -> None:
        """End the process, killed when that takes too long, and its API."""
        self.terminate()
        self._wait(within_seconds)
        self.kill()
        self._api.close()

    def _wait(self, seconds: float) -> None:
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return

    def _watch(self) -> None:
        self._process.wait()
        self._api.reports.put(Report(Kind.ENDED))

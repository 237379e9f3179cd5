"""Runs the real function files in child processes against the KYC sandbox."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.lambda_runtime.events import (
    Message,
    build_http_event,
    build_queue_event,
    build_timer_event,
)
from kycourier_devkit.emulators.local_runtime.process import (
    FunctionProcess,
    function_file,
)
from kycourier_devkit.sandbox import APP_ID, APP_SECRET, Sandbox
from support.leaks.canaries import FINGERPRINT_KEY

EVENT_TIME = datetime(2026, 1, 1, tzinfo=timezone.utc)


class ServiceRig:
    """One app's folder, environment and running functions."""

    def __init__(self, folder: Path, sandbox: Sandbox, stack: ExitStack) -> None:
        self.folder, self.sandbox, self._stack = folder, sandbox, stack
        self.started: list[FunctionProcess] = []
        self.log = folder / "functions.log"
        self.environ = {
            "KYCOURIER_APP_ID": APP_ID,
            "KYCOURIER_APP_SECRET": "env:SECRET",
            "KYCOURIER_KYC_URL": sandbox.url,
            "KYCOURIER_STATE": f"sqlite:///{folder}/state.db",
            "KYCOURIER_EVIDENCE": f"file://{folder}/evidence",
            "KYCOURIER_EVENTS": f"file://{folder}/events.jsonl",
            "KYCOURIER_FINGERPRINT_KEY": "env:FINGERPRINT",
            "KYCOURIER_API_AUTH": "none",
            "KYCOURIER_FIRST_SWEEP_SECONDS": "1",
            "SECRET": APP_SECRET,
            "FINGERPRINT": FINGERPRINT_KEY,
        }

    def start(
        self, name: str, program: str | None = None, **environ: str
    ) -> FunctionProcess:
        """Start a function, or a program in its place; it ends with the test."""
        log = self._stack.enter_context(self.log.open("ab"))
        path = function_file(name)
        if program is not None:
            path = self.folder / f"wrapped_{name}.py"
            path.write_text(program)
        process = FunctionProcess(path, self.environ | environ, log=log)
        self._stack.callback(process.close)
        self.started.append(process)
        return process

    def start_many(self, name: str, count: int) -> list[FunctionProcess]:
        """Start several at once and wait until all are ready."""
        processes = [self.start(name) for _ in range(count)]
        for process in processes:
            process.wait_until_ready()
        return processes

    def events(self) -> list[dict[str, Any]]:
        """Return the events in the sink's file; asserts that its last line is whole."""
        path = self.folder / "events.jsonl"
        text = path.read_text() if path.exists() else ""
        assert not text or text.endswith("\n")
        return [json.loads(line) for line in text.splitlines()]

    def count_log_events(self) -> Counter[str]:
        """Count the log events of all functions by name."""
        lines = map(json.loads, self.log.read_text().splitlines())
        return Counter(line["message"] for line in lines if "message" in line)

    def objects(self) -> list[str]:
        """Return the keys of all evidence objects."""
        root = self.folder / "evidence"
        return sorted(
            str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()
        )


@contextmanager
def open_service_rig(folder: Path, sandbox: Sandbox) -> Any:
    """Open a rig; asserts at its end that no function process is left."""
    with ExitStack() as stack:
        service_rig = ServiceRig(folder, stack.enter_context(sandbox), stack)
        yield service_rig
    assert [each.pid for each in service_rig.started if each.is_running] == []


def http_event(
    method: str, path: str, body: bytes = b"", **headers: str
) -> dict[str, object]:
    call = HttpCall(method=method, path=path, body=body, headers=tuple(headers.items()))
    return build_http_event(call, at=EVENT_TIME)


def queue_batch(*orders: str) -> dict[str, object]:
    messages = [
        Message(id=f"m{number}", body=json.dumps({"order_no": order}))
        for number, order in enumerate(orders)
    ]
    return build_queue_event(messages, at=EVENT_TIME)


TIMER_EVENT = build_timer_event("timer", at=EVENT_TIME)


def call_concurrently(
    work: Callable[[FunctionProcess], Any], on: list[FunctionProcess]
) -> list[Any]:
    """Call every process at the same time."""
    with ThreadPoolExecutor(len(on)) as pool:
        return list(pool.map(work, on))

"""Runs `kycourier serve` and other commands in a folder; reads the functions' log."""

import io
import json
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import requests

from kycourier.adapters.http.mute_loggers import mute_loggers
from kycourier.adapters.http.sessions import NOISY_LOGGERS
from kycourier_devkit.cli.app import run

SECONDS = 15.0

LogLine = dict[str, Any]


class CauseRig:
    """A folder with its settings; without a queue, only a request starts an attempt."""

    def __init__(
        self, folder: Path, starter: Callable[..., Any], environ: Mapping[str, str]
    ) -> None:
        mute_loggers(NOISY_LOGGERS)
        self.folder, self.root = folder, folder / ".kycourier"
        self.environ = {"KYCOURIER_QUEUE": "none", **environ}
        self._starter = starter
        self._running: Any = None
        self._url = ""

    def start(
        self, *, sweep_seconds: float = 3600, refresh: str | None = "ticket_refreshed"
    ) -> "CauseRig":
        """Starts serve, and waits until both timers have fired.

        Args:
            sweep_seconds: The interval of sweeps; there is one at the start.
            refresh: The log event with which the first refresh ends, if there is one.
        """
        options = ["--port", "0", "--sweep-seconds", str(sweep_seconds)]
        self._running = self._starter(self.folder, ["serve", *options], self.environ)
        self._url = self._running.wait_for(r"The orders API is at (\S+)/v1 ")
        for event in filter(None, ("sweep_finished", refresh)):
            self.wait_for_log(event)
        return self

    def stop(self) -> None:
        """Ends serve, as Ctrl-C does; the leak scan reads what it printed."""
        if self._running is not None:
            result, self._running = self._running.end(signal.SIGINT), None
            sys.stdout.write(result.out + result.err)

    def collect(self, *order_numbers: str) -> list[int]:
        """Posts orders one by one, as a backend does. Returns the HTTP statuses."""
        return [
            requests.post(
                f"{self._url}/v1/orders/{number}/collection", timeout=SECONDS
            ).status_code
            for number in order_numbers
        ]

    def wait_for_line(self, pattern: str) -> list[str]:
        """Waits for a line of serve, and returns all lines so far, without times."""
        timed = r"\d\d:\d\d:\d\d  "
        self._running.wait_for(rf"{timed}{pattern}.*\n")
        return re.findall(rf"(?m)^{timed}(.*)$", "".join(self._running.out))

    def run(self, *arguments: str) -> tuple[int, list[str]]:
        """Runs a command. Returns its exit code, and its lines of both streams."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            with redirect_stdout(out), redirect_stderr(err):
                code = run(arguments, self.environ)
        text = out.getvalue() + err.getvalue()
        sys.stdout.write(text)  # for the leak scan
        return code, text.splitlines()

    def wait_until_due(self, *order_numbers: str) -> None:
        """Waits until these orders are due again."""
        for number in order_numbers:
            _, (order, *_) = self.run("show", number, "--json")
            due_at = json.loads(order)["due_at"]
            wait_until(lambda at=due_at: _now() > at[:19], f"{number} is not due")

    def log_size(self) -> int:
        """Returns how many characters the functions' log has."""
        return len(self._log_text())

    def log_lines(self, since: int = 0) -> list[LogLine]:
        """Returns the whole lines after `since` characters: log events and metrics."""
        lines = self._log_text()[since:].splitlines(keepends=True)
        return [json.loads(line) for line in lines if line[-1] == "\n"]

    def wait_for_log(self, event: str) -> None:
        """Waits for a log event."""
        wait_until(
            lambda: any(line.get("message") == event for line in self.log_lines()),
            f"no log event {event}",
        )

    def wait_for_metric(self, name: str) -> None:
        """Waits for a metric above zero."""
        wait_until(
            lambda: any(name in metrics_of(line) for line in self.log_lines()),
            f"no metric {name}",
        )

    def _log_text(self) -> str:
        return (self.root / "functions.log").read_text("utf-8")


def metrics_of(line: LogLine) -> list[str]:
    """Returns the metrics above zero of one line of EMF."""
    form = line.get("_aws", {"CloudWatchMetrics": ()})
    parts = [part["Metrics"] for part in form["CloudWatchMetrics"]]
    names = [metric["Name"] for metrics in parts for metric in metrics]
    return [name for name in names if sum(line[name]) > 0]


def wait_until(fact: Callable[[], bool], failure: str) -> None:
    """Waits until `fact` is true."""
    ends_at = time.monotonic() + SECONDS
    while not fact():
        assert time.monotonic() < ends_at, failure
        time.sleep(0.02)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())

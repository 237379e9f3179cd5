"""Runs of pytest in copies: bounded in time, and ended when this one is."""

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple

from mutants.copies import environment_of, python_of

END_SECONDS = 10.0
_OPTIONS = ("-p", "mutants.witness", "-p", "no:randomly", "-p", "no:cacheprovider")
_TESTS_FAILED = 1


class Failed(NamedTuple):
    """The first test that failed, and what it said."""

    test: str
    why: str


class Unusable(Exception):  # noqa: N818 - reads as a fact
    """The run says nothing: it did not begin, or did not end."""


class Runs:
    """Starts them, from several threads, and knows those that are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_over = False

    def run(
        self, copy: Path, *options: str, seconds: float, changed: str = "kycourier"
    ) -> Failed | None:
        """Run tests in a copy; give the first that failed. Raises Unusable.

        `changed` is a module that must import.
        """
        witness, output = copy / "witness.json", copy / "output.txt"
        witness.unlink(missing_ok=True)
        command = [str(python_of(copy)), "-m", "pytest", *_OPTIONS, "-vvv"]
        command += [f"--witness={witness}", f"--changed={changed}"]
        command += ["--hypothesis-seed=0", *options]
        with output.open("wb") as log, self._started(command, copy, log) as process:
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise Unusable(f"no end within {seconds:.0f} s") from None
        if status == 0:
            return None
        found = json.loads(witness.read_text()) if witness.exists() else None
        if status == _TESTS_FAILED and found and found["is_test"]:
            return Failed(found["test"].removeprefix("tests/"), found["why"])
        raise Unusable(found["why"] if found else _last_lines(output))

    def end(self) -> None:
        """End all that run, as Ctrl-C would, and begin no other."""
        with self._lock:
            self._is_over = True
            for process in self._running:
                _send(process, signal.SIGINT)

    @contextlib.contextmanager
    def _started(
        self, command: Sequence[str], copy: Path, log: IO[bytes]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        with self._lock:
            if self._is_over:
                raise Unusable("ended")
            process = subprocess.Popen(
                command,
                cwd=copy,
                env=environment_of(copy),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            yield process
        finally:
            if process.poll() is None:
                _end(process)
            with self._lock:
                self._running.discard(process)


def _send(process: "subprocess.Popen[bytes]", sent: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, sent)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Let pytest end its stand-ins; kill what takes too long."""
    _send(process, signal.SIGINT)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        _send(process, signal.SIGKILL)
        process.wait()


def _last_lines(output: Path) -> str:
    lines = output.read_text(errors="replace").strip().splitlines()
    return "\n".join(lines[-5:]) or "it did not begin"

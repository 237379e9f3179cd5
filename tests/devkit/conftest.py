"""Runs commands in a folder of their own, without settings."""

import re
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

from kycourier_devkit.cli.app import run


class CommandResult(NamedTuple):
    """A command's exit code, standard output and standard error."""

    code: int
    out: str
    err: str


@pytest.fixture
def kycourier(tmp_path, monkeypatch, capsys):
    """Run a command in this process."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, stdin=None, **environ):
        capsys.readouterr()
        if stdin is not None:
            monkeypatch.setattr("sys.stdin", StringIO(stdin))
        code = run(arguments, environ)
        return CommandResult(code, *capsys.readouterr())

    return call


@pytest.fixture
def shell(tmp_path):
    """Run a command in its own process."""

    def call(*arguments, stdin="", **environ):
        result = subprocess.run(
            [sys.executable, "-m", "kycourier_devkit", *arguments],
            cwd=tmp_path,
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return CommandResult(result.returncode, result.stdout, result.stderr)

    return call


def _read_stat(pid):
    """Return state, parent and so on of a process; empty if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


class RunningCommand:
    """A command that runs until it is stopped, with its output so far."""

    def __init__(self, folder, arguments, environ):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "kycourier_devkit", *arguments],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out, self._err = [], []
        self._readers = [
            Thread(target=self.out.extend, args=(self._process.stdout,)),
            Thread(target=self._err.extend, args=(self._process.stderr,)),
        ]
        for reader in self._readers:
            reader.start()

    def find(self, pattern):
        """Return the match's first group, or the match, in the output so far."""
        found = re.search(pattern, "".join(self.out))
        return found and found.group(found.re.groups and 1)

    def wait_for(self, pattern):
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            found = self.find(pattern)
            if found is not None:
                return found
            assert self._process.poll() is None, self._err
            time.sleep(0.02)
        raise AssertionError(self.out)

    def children(self):
        """Return the ids of its child processes."""
        parent = str(self._process.pid)
        pids = [path.name for path in Path("/proc").glob("[0-9]*")]
        return [int(pid) for pid in pids if _read_stat(pid)[1:2] == [parent]]

    def is_alive(self, pid):
        """Return whether a process exists and is no zombie."""
        return _read_stat(pid)[:1] not in ([], ["Z"])

    def end(self, signal_number):
        """Send a signal unless it has ended, then wait for it."""
        if self._process.poll() is None:
            self._process.send_signal(signal_number)
        code = self._process.wait(10)
        for reader in self._readers:
            reader.join(5)
        self._process.stdout.close()
        self._process.stderr.close()
        return CommandResult(code, "".join(self.out), "".join(self._err))


@pytest.fixture(scope="session")
def starter():
    """Start commands in a given folder; they are killed after the tests."""
    started = []

    def call(folder, arguments, environ):
        started.append(RunningCommand(folder, arguments, environ))
        return started[-1]

    yield call
    for running in started:
        running.end(signal.SIGKILL)


@pytest.fixture
def start(starter, tmp_path):
    """Start commands in the test's folder; they are stopped after the test."""
    started = []

    def call(*arguments, **environ):
        started.append(starter(tmp_path, arguments, environ))
        return started[-1]

    yield call
    for running in started:
        running.end(signal.SIGINT)

"""The command line as a person calls it: in a folder of its own, with no settings."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import NamedTuple

import pytest

from kycourier_devkit.command_line import run


class Ended(NamedTuple):
    """What a command left: its exit code and both streams."""

    code: int
    out: str
    err: str


@pytest.fixture
def kycourier(tmp_path, monkeypatch, capsys):
    """Run a command in this process."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments, **environ):
        capsys.readouterr()
        code = run(arguments, environ)
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def shell(tmp_path):
    """Run a command in a process of its own, as a shell does."""

    def call(*arguments, stdin="", **environ):
        ended = subprocess.run(
            [sys.executable, "-m", "kycourier_devkit", *arguments],
            cwd=tmp_path,
            env=environ,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return call


def _read_stat(pid):
    """Give a process's state, parent and so on; nothing when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


class Running:
    """A command that lasts: its lines as they come, and the processes below it."""

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
        """Find a pattern in the lines so far; give its group, or all of it."""
        found = re.search(pattern, "".join(self.out))
        return found and found.group(found.re.groups and 1)

    def wait_for(self, pattern):
        ends_at = time.monotonic() + 15
        while time.monotonic() < ends_at:
            found = self.find(pattern)
            if found is not None:
                return found
            assert self._process.poll() is None, self._err
            time.sleep(0.02)
        raise AssertionError(self.out)

    def children(self):
        """Give the numbers of the processes that it has started."""
        parent = str(self._process.pid)
        pids = [path.name for path in Path("/proc").glob("[0-9]*")]
        return [int(pid) for pid in pids if _read_stat(pid)[1:2] == [parent]]

    def is_alive(self, pid):
        """Tell whether a process is there and no zombie."""
        return _read_stat(pid)[:1] not in ([], ["Z"])

    def end(self, number):
        """Send a signal, unless it has ended, and wait."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(10)
        for reader in self._readers:
            reader.join(5)
        self._process.stdout.close()
        self._process.stderr.close()
        return Ended(code, "".join(self.out), "".join(self._err))


@pytest.fixture(scope="session")
def starter():
    """Give what starts a command that lasts; all are ended in the end."""
    started = []

    def call(folder, arguments, environ):
        started.append(Running(folder, arguments, environ))
        return started[-1]

    yield call
    for running in started:
        running.end(signal.SIGKILL)


@pytest.fixture
def start(starter, tmp_path):
    """Start a command that lasts, in the test's folder."""
    started = []

    def call(*arguments, **environ):
        started.append(starter(tmp_path, arguments, environ))
        return started[-1]

    yield call
    for running in started:
        running.end(signal.SIGINT)

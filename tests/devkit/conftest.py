"""The command line as a person calls it: in a folder of its own, with no settings."""

import subprocess
import sys
from typing import NamedTuple

import pytest

from kycourier_devkit.cli import run


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

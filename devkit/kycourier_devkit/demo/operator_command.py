"""Runs a `kycourier` command in a process of its own, as an operator does."""

import os
import subprocess
import sys
from collections.abc import Mapping

from msgspec import Struct

_TIMEOUT_SECONDS = 120


class Finished(Struct, frozen=True):
    """A finished command: its exit code, and the lines of both streams."""

    code: int
    lines: list[str]
    problems: list[str]

    @property
    def last_line(self) -> str:
        """The last line of the command: on failure, that of its error output."""
        lines = [*self.lines, *self.problems]
        return lines[-1] if lines else "the command printed nothing"


def run_command(
    *arguments: str, environ: Mapping[str, str], stdin: str = ""
) -> Finished:
    """Runs a command that sees no other environment variable than `environ`."""
    process = subprocess.run(  # noqa: S603 - this Python, our own command
        [sys.executable, "-m", "kycourier_devkit", *arguments],
        env={"PATH": os.defpath, **environ},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECONDS,
        check=False,
    )
    return Finished(
        process.returncode, process.stdout.splitlines(), process.stderr.splitlines()
    )

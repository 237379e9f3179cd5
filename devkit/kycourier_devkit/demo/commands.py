"""A command of `kycourier` as the operator of an account gives it."""

import os
import subprocess
import sys
from collections.abc import Mapping

from msgspec import Struct

_SECONDS = 60


class Ended(Struct, frozen=True):
    """How a command ended, and the lines that it printed: its answer, its problems."""

    code: int
    lines: list[str]
    problems: list[str]


def run_command(
    *arguments: str,
    environ: Mapping[str, str],
    typed: str = "",
    seconds: int = _SECONDS,
) -> Ended:
    """Run it in a process of its own, which sees `environ` alone.

    `typed` is what it reads from standard input.
    """
    ended = subprocess.run(  # noqa: S603 - this Python, our own command
        [sys.executable, "-m", "kycourier_devkit", *arguments],
        env={"PATH": os.defpath, **environ},
        input=typed,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.splitlines(), ended.stderr.splitlines())

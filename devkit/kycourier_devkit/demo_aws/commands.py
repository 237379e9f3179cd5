"""A command of `kycourier` as the operator of an account gives it."""

import os
import subprocess
import sys
from collections.abc import Mapping

from msgspec import Struct

_SECONDS = 60


class Ended(Struct, frozen=True):
    """How a command ended, and the lines that it printed."""

    code: int
    lines: list[str]


def run_command(*arguments: str, environ: Mapping[str, str]) -> Ended:
    """Run it in a process of its own, which sees `environ` alone."""
    ended = subprocess.run(  # noqa: S603 - this Python, our own command
        [sys.executable, "-m", "kycourier_devkit", *arguments],
        env={"PATH": os.defpath, **environ},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.splitlines())

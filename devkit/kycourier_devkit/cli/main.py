"""Starts the command line; prepares for signals before any other module is loaded."""

import os
import signal
import sys
from typing import NoReturn

_INTERRUPTED, _TERMINATED = 130, 143  # 128 and the signal's number


def main() -> NoReturn:
    """Runs the command in `sys.argv`, then exits with its code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _exit_terminated)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # text streams
    try:
        from kycourier_devkit.cli.app import run  # noqa: PLC0415 - Ctrl-C is handled

        code = run(sys.argv[1:], os.environ)  # noqa: TID251 - the only reader here
    except KeyboardInterrupt:
        sys.stderr.write("kycourier: stopped\n")
        code = _INTERRUPTED
    sys.exit(code)


def _exit_terminated(*_: object) -> NoReturn:
    sys.exit(_TERMINATED)

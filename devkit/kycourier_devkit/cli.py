"""Where the command begins: nothing is loaded before Ctrl-C is provided for."""

import os
import signal
import sys
from typing import NoReturn

STOPPED, TERMINATED = 130, 143


def main() -> NoReturn:
    """Run the command that the arguments name, and exit with its code."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # text streams
    try:
        from kycourier_devkit.command_line import run  # noqa: PLC0415 - as said above

        code = run(sys.argv[1:], os.environ)  # noqa: TID251 - the command line's own
    except KeyboardInterrupt:
        sys.stderr.write("kycourier: stopped\n")
        code = STOPPED
    sys.exit(code)


def _end(*_: object) -> NoReturn:
    sys.exit(TERMINATED)

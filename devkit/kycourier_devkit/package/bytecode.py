"""Compiles bytecode that a cloud's Python loads without checking the source.

It is validated by hash and unchecked, so each build gives the same bytes, and the times
of the unpacked files do not matter.
"""

import subprocess
from pathlib import Path

from kycourier_devkit.errors import ToolUnavailableError


def compile_all(folder: Path, *, python: str, unpacked_at: str) -> None:
    """Compiles every module of `folder`.

    Args:
        folder: Holds the modules; the bytecode is written beside them.
        python: An interpreter of the version that will load it.
        unpacked_at: The folder's path in the cloud, which tracebacks show.

    Raises:
        ToolUnavailableError: The interpreter could not compile them.
    """
    command = [python, "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", unpacked_at, str(folder)]
    done = subprocess.run(  # noqa: S603 - an interpreter of this machine
        command,
        check=False,
        capture_output=True,
        env={"PYTHONHASHSEED": "0"},
    )
    if done.returncode:
        raise ToolUnavailableError(
            f"{Path(python).name} could not compile {unpacked_at}"
        )

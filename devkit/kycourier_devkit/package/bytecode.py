"""Bytecode that a cloud's Python loads without a look at the source.

It is kept by hash and never checked, so that it is the same in each build and holds
whatever times the unpacked files have.
"""

import subprocess
from pathlib import Path

from kycourier_devkit.errors import ToolMissing


def compile_all(folder: Path, *, python: str, shown_as: str) -> None:
    """Compile every module of `folder`, which will lie at `shown_as`.

    `python` is an interpreter of the version that will load it. Raises ToolMissing.
    """
    command = [python, "-m", "compileall", "-q", "-f"]
    command += ["--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", shown_as, str(folder)]
    done = subprocess.run(  # noqa: S603 - an interpreter of this machine
        command,
        check=False,
        capture_output=True,
        env={"PYTHONHASHSEED": "0"},
    )
    if done.returncode:
        raise ToolMissing(f"{Path(python).name} could not compile {shown_as}")

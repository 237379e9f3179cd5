"""Runs the suite on the oldest and the newest Python that the clouds run.

Environments are kept in `.cache/`. A missing interpreter is skipped with a message;
with `--strict` it is a failure.
"""

import subprocess
import sys

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.repository import ROOT
from kycourier_devkit.tool_envs import OTHER_PYTHONS, devkit_env


def main() -> int:
    """Run on each interpreter; returns the exit status."""
    strict, status = "--strict" in sys.argv[1:], 0
    for version, why in OTHER_PYTHONS.items():
        try:
            environment = devkit_env(version)
        except ToolUnavailableError as error:
            print(f"Skipped, {why}: {error}.")
            status = status or int(strict)
            continue
        print(f"Python {version} ({why}):", flush=True)
        run = [environment / "python", "-m", "pytest", "-m", "not slow"]
        status = subprocess.run(run, cwd=ROOT, check=False).returncode or status
    return status


if __name__ == "__main__":
    sys.exit(main())

"""Run the suite on the oldest and the newest Python that the clouds run.

The environments are kept in `.cache/`, so that the next time is quick. An interpreter
that is not here is skipped in plain words; with `--strict` that is a failure.
"""

import subprocess
import sys

from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.toolbox import OTHER_PYTHONS, ROOT, our_own


def main() -> int:
    """Run on each; give the exit status."""
    strict, status = "--strict" in sys.argv[1:], 0
    for version, why in OTHER_PYTHONS.items():
        try:
            environment = our_own(version)
        except ToolMissing as error:
            print(f"Skipped, {why}: {error}.")
            status = status or int(strict)
            continue
        print(f"Python {version} ({why}):", flush=True)
        run = [environment / "python", "-m", "pytest", "-m", "not slow"]
        status = subprocess.run(run, cwd=ROOT, check=False).returncode or status
    return status


if __name__ == "__main__":
    sys.exit(main())

"""Plants the bug that PLANTED names in a Python process that a test starts."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

if (name := os.environ.get("PLANTED")) and find_spec("kycourier"):  # noqa: TID251
    tests = str(Path(__file__).parents[2])
    sys.path.insert(0, tests)
    from mutants.catalogue import load_plants
    from mutants.planting import plant

    chosen = load_plants()[name]
    plant(chosen.target, chosen.change)
    sys.path.remove(tests)

"""A pytest plugin: `-p mutants.plugin --plant NAME` runs tests on a planted bug."""

import os
import subprocess
from pathlib import Path

import pytest

from mutants.catalogue import load_plants
from mutants.planting import TargetError, plant

CHILDREN = Path(__file__).parent / "in_children"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--plant", metavar="NAME", help="a bug or leak of tests/mutants")


def pytest_configure(config: pytest.Config) -> None:
    """Plant before any test module is imported, here and in child processes."""
    name = config.getoption("--plant")
    if name is None:
        return
    try:
        chosen = load_plants()[name]
        plant(chosen.target, chosen.change)
    except KeyError:
        raise pytest.UsageError(f"No bug or leak is named {name}.") from None
    except TargetError as error:
        raise pytest.UsageError(f"Cannot plant {name}: {error}") from None
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    _plant_in_children(name, patch)


def _plant_in_children(name: str, patch: pytest.MonkeyPatch) -> None:
    """Let every child find `sitecustomize.py`, also where a test sets its variables."""
    start = subprocess.Popen.__init__

    def start_planted(self, *args, env=None, **options):  # type: ignore[no-untyped-def]
        environ = dict(os.environ if env is None else env)  # noqa: TID251 - a child's
        paths = [str(CHILDREN), environ.get("PYTHONPATH", "")]
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        environ["PLANTED"] = name
        start(self, *args, env=environ, **options)

    patch.setattr(subprocess.Popen, "__init__", start_planted)

"""Try mutants, each in a forked process whose import finds the changed text."""

import importlib.util
import os
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder, SourceLoader

import hypothesis
import pytest

from kycourier_devkit.toolbox import ROOT
from mutation.verdict import Mutant

_CPU_SECONDS = 120
_PYTEST = [
    *("-x", "-n0", "--tb=no", "-p", "no:randomly", "-p", "no:cacheprovider"),
    *("-W", "ignore:Module already imported so cannot be rewritten"),
]


def attempt(
    mutants: Iterable[Mutant], suites: dict[str, Sequence[Sequence[str]]]
) -> Iterator[tuple[Mutant, bool]]:
    """Tell of each mutant whether the suites of its module kill it."""
    if "kycourier" in sys.modules:
        raise RuntimeError("kycourier was imported already: no mutant would be seen")
    running: dict[int, Mutant] = {}
    for mutant in mutants:
        if len(running) == (os.cpu_count() or 1):
            yield _end_of_one(running)
        pid = os.fork()
        if not pid:
            _be(mutant, suites[mutant.module])
        running[pid] = mutant
    while running:
        yield _end_of_one(running)


def _end_of_one(running: dict[int, Mutant]) -> tuple[Mutant, bool]:
    pid, status = os.wait()
    return running.pop(pid), status != 0


def _be(mutant: Mutant, suites: Sequence[Sequence[str]]) -> None:
    """Run the suites on the mutant, the nearest first; never return."""
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(ROOT)
        sys.meta_path.insert(0, _Planted(mutant))
        for suite in suites:
            status = int(pytest.main([*_PYTEST, *suite], plugins=[_Determined()]))
            if status:
                break
    finally:
        os._exit(status)


class _Planted(MetaPathFinder, SourceLoader):
    """Finds one module, with another text than its file's."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = f"kycourier.core.{mutant.module}"
        self._text = mutant.text

    def find_spec(self, fullname, path, target=None):  # noqa: ARG002 - importlib's
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def get_filename(self, fullname):
        return f"<{fullname}>"

    def get_data(self, path):  # noqa: ARG002 - there is one text
        return self._text.encode()


class _Determined:
    """Lets Hypothesis draw the same examples each time, and not shrink them."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile(
            "mutation", deadline=None, derandomize=True, database=None, phases=phases
        )
        hypothesis.settings.load_profile("mutation")

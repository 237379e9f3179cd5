"""Runs tests on mutants, each in a forked process that imports the changed text."""

import importlib.util
import os
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder, SourceLoader

import hypothesis
import pytest

from kycourier_devkit.repository import ROOT
from mutation.report import Mutant

_CPU_SECONDS = 120
_PYTEST = [
    *("-x", "-n0", "--tb=no", "-p", "no:randomly", "-p", "no:cacheprovider"),
    *("-W", "ignore:Module already imported so cannot be rewritten"),
]


def execute(
    mutants: Iterable[Mutant], suites: dict[str, Sequence[Sequence[str]]]
) -> Iterator[tuple[Mutant, bool]]:
    """Yield each mutant and whether the suites of its module kill it."""
    if "kycourier" in sys.modules:
        raise RuntimeError("kycourier is imported already: no mutant would be used")
    running: dict[int, Mutant] = {}
    for mutant in mutants:
        if len(running) == (os.cpu_count() or 1):
            yield _wait_for_one(running)
        pid = os.fork()
        if not pid:
            _run_suites(mutant, suites[mutant.module])
        running[pid] = mutant
    while running:
        yield _wait_for_one(running)


def _wait_for_one(running: dict[int, Mutant]) -> tuple[Mutant, bool]:
    pid, status = os.wait()
    return running.pop(pid), status != 0


def _run_suites(mutant: Mutant, suites: Sequence[Sequence[str]]) -> None:
    """Run the suites on the mutant until one fails; end the process."""
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(ROOT)
        sys.meta_path.insert(0, _MutantFinder(mutant))
        for suite in suites:
            status = int(pytest.main([*_PYTEST, *suite], plugins=[_Repeatable()]))
            if status:
                break
    finally:
        os._exit(status)


class _MutantFinder(MetaPathFinder, SourceLoader):
    """Finds one module, with the text of its mutant."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = mutant.module
        self._text = mutant.text

    def find_spec(self, fullname, path, target=None):  # noqa: ARG002 - importlib's
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def get_filename(self, fullname):
        return f"<{fullname}>"

    def get_data(self, path):  # noqa: ARG002 - the one text
        return self._text.encode()


class _Repeatable:
    """Makes Hypothesis draw the same examples each time, without shrinking."""

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
        hypothesis.settings.register_profile(
            "mutation", deadline=None, derandomize=True, database=None, phases=phases
        )
        hypothesis.settings.load_profile("mutation")

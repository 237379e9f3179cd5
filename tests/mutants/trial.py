"""One mutant's trial: a copy, the change, and the tests that should see it."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from mutants.catalogue import Mutant
from mutants.change import DoesNotApply, apply_change
from mutants.copies import copy_tree
from mutants.runs import Failed, Runs, Unusable

NAMED_SECONDS, SUITE_SECONDS = 150.0, 600.0
_FAST = ("-m", "not slow", "--ignore=tests/mutants")
_ONE_BY_ONE = ("-x", "-n0")


class Verdict(NamedTuple):
    """Who caught a mutant; `problem` is empty when all is as the catalogue says."""

    mutant: Mutant
    caught: Failed | None = None
    by_seed: Failed | None = None
    problem: str = ""


class Trial:
    """One mutant in a copy of its own.

    `suite` is the folder whose fast tests are tried when those named catch nothing.
    """

    def __init__(self, mutant: Mutant, copy: Path, runs: Runs, *, suite: str) -> None:
        self._mutant, self._copy, self._runs = mutant, copy, runs
        self._suite = suite

    def judge(self, base: Path) -> Verdict:
        """Copy `base`, plant the mutant, and run the tests that are named."""
        try:
            copy_tree(base, self._copy)
            plant(self._mutant, self._copy)
            caught = self._try(self._mutant.planted.caught_by)
            if caught is None:
                return self._search()
            return self._compare(caught)
        except DoesNotApply as problem:
            return Verdict(self._mutant, problem=f"does not apply: {problem}")
        except Unusable as problem:
            return Verdict(self._mutant, problem=f"no verdict: {problem}")
        finally:
            shutil.rmtree(self._copy, ignore_errors=True)

    def _search(self) -> Verdict:
        """See whether any fast test catches what those named did not."""
        found = self._run(*_FAST, self._suite, seconds=SUITE_SECONDS)
        problem = "survived" if found is None else "not caught by the tests named"
        return Verdict(self._mutant, found, problem=problem)

    def _compare(self, caught: Failed) -> Verdict:
        """See whether the scan told the leak as it should, and the simulation's say."""
        planted = self._mutant.planted
        untold = [word for word in planted.found if repr(word) not in caught.why]
        if untold:
            problem = f"found, but not as {', '.join(untold)}"
            return Verdict(self._mutant, caught, problem=problem)
        by_seed = self._try(planted.seeds) if planted.seeds else None
        missed = planted.seeds and by_seed is None
        problem = "not caught by the simulation" if missed else ""
        return Verdict(self._mutant, caught, by_seed, problem)

    def _try(self, tests: tuple[str, ...]) -> Failed | None:
        return self._run(*(f"tests/{test}" for test in tests), seconds=NAMED_SECONDS)

    def _run(self, *options: str, seconds: float) -> Failed | None:
        return self._runs.run(
            self._copy,
            *_ONE_BY_ONE,
            *options,
            seconds=seconds,
            changed=self._mutant.module(self._copy),
        )


def plant(mutant: Mutant, copy: Path) -> None:
    """Change the copy's file. Raises DoesNotApply."""
    path = mutant.path(copy)
    if not path.is_file():
        raise DoesNotApply(f"{mutant.planted.file} is not there")
    path.write_text(apply_change(mutant.planted.change, path.read_text()))
    if path.suffix == ".py":
        _check_names(path)


def _check_names(path: Path) -> None:
    """Refuse what is no Python, or names what is not there: its failure is no catch."""
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "-q"]
    options = ["--select", "F821,F823", "--output-format", "concise", path.name]
    done = subprocess.run(
        [*ruff, *options],
        cwd=path.parent,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DoesNotApply(f"it breaks the module, {done.stdout.strip()}")

"""The planted bugs and leaks fit the source as it is now."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from mutants.catalogue import ROOT, Mutant, read_catalogue
from mutants.change import DoesNotApply, apply_change

CATALOGUE = read_catalogue()
SOURCE = "one\ntwo\n\nthree\ntwo\n"
INVARIANTS = {f"I{number}" for number in range(1, 17)}


def named_by(mutant: Mutant) -> list[str]:
    return [*mutant.planted.caught_by, *mutant.planted.seeds]


@cache
def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("mutant", CATALOGUE, ids=lambda mutant: mutant.name)
def test_it_applies_to_the_source_and_leaves_it_python(mutant):
    path = mutant.path(ROOT)
    changed = apply_change(mutant.planted.change, path.read_text("utf-8"))
    assert path.suffix == ".py"
    compile(changed, path.name, "exec")


def test_names_are_each_ones_own():
    assert len({mutant.name for mutant in CATALOGUE}) == len(CATALOGUE)


def test_every_invariant_is_broken_by_a_bug():
    broken = {mutant.planted.breaks for mutant in CATALOGUE if mutant.kind == "bug"}
    assert broken >= INVARIANTS


def test_the_tests_named_are_there():
    named = {test for mutant in CATALOGUE for test in named_by(mutant)}
    assert all(named_by(mutant) for mutant in CATALOGUE)
    for test in named:
        path, _, inside = test.partition("::")
        name = inside.partition("[")[0].rpartition("::")[2]
        assert name in functions_of(ROOT / "tests" / path), test


def test_a_leak_says_where_the_scan_must_find_it():
    leaks = [mutant for mutant in CATALOGUE if mutant.kind == "leak"]
    assert leaks
    assert [leak.name for leak in leaks if not leak.planted.found] == []


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ("-one\n+1", "1\ntwo\n\nthree\ntwo\n"),
        (" one\n-two", "one\n\nthree\ntwo\n"),
        (" three\n+four\n two", "one\ntwo\n\nthree\nfour\ntwo\n"),
        ("\n-\n three\n", "one\ntwo\nthree\ntwo\n"),
        ("-one\n+1\n@@\n-three\n+3", "1\ntwo\n\n3\ntwo\n"),
    ],
)
def test_a_change_is_made_where_it_stands(change, changed):
    assert apply_change(change, SOURCE) == changed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("-four\n+4", "0 times"),
        ("-two\n+2", "2 times"),
        ("-on\n+1", "0 times"),
        ("+1", "names no place"),
        (" one", "changes nothing"),
        ("-one\n+one", "changes nothing"),
        ("-one\n+1\n@@\n-four", "0 times"),
    ],
)
def test_a_change_that_does_not_fit_exactly_once_is_refused(change, reason):
    with pytest.raises(DoesNotApply, match=re.escape(reason)):
        apply_change(change, SOURCE)

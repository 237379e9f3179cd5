"""Every test that the threat model names exists."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]*)`", PAGE)))
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of a module's tests, those in classes as `Class::test`."""
    found = []
    for node in ast.parse(path.read_text("utf-8")).body:
        is_class = isinstance(node, ast.ClassDef)
        inner, prefix = (node.body, f"{node.name}::") if is_class else ([node], "")
        functions = [each for each in inner if isinstance(each, ast.FunctionDef)]
        found += [f"{prefix}{each.name}" for each in functions]
    return frozenset(found)


@pytest.mark.parametrize("name", NAMED)
def test_named_test_exists(name):
    path, _, test = name.partition("::")
    assert test.rpartition("::")[2].startswith("test_")
    assert test in names_in(ROOT / path)


def test_every_threat_has_a_test():
    assert len(ROWS) > 15
    assert [row for row in ROWS if row.count("|") != 5 or "`tests/" not in row] == []

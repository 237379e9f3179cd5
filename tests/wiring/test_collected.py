"""Every test is one that pytest finds."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]


def overlooked(node: ast.AST, *, found: bool = True) -> Iterator[str]:
    """Name the tests that stand in no module or class of tests."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.ClassDef):
            yield from overlooked(inner, found=found and inner.name.startswith("Test"))
        elif isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_"):
            yield from () if found else [inner.name]


def test_no_test_stands_where_pytest_does_not_look():
    for path in TESTS.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found = path.name.startswith("test_")
        assert list(overlooked(tree, found=found)) == [], path


def test_a_test_in_a_helper_would_be_seen():
    tree = ast.parse("class Helper:\n    def test_it(self): ...")
    assert list(overlooked(tree)) == ["test_it"]

"""Every test function is in a module and class that pytest collects."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]


def overlooked(node: ast.AST, *, found: bool = True) -> Iterator[str]:
    """Yield the names of tests outside test modules and classes."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.ClassDef):
            yield from overlooked(inner, found=found and inner.name.startswith("Test"))
        elif isinstance(inner, ast.FunctionDef) and inner.name.startswith("test_"):
            yield from () if found else [inner.name]


def test_every_test_is_collected():
    for path in TESTS.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found = path.name.startswith("test_")
        assert list(overlooked(tree, found=found)) == [], path

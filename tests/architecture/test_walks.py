"""The three walks of docs/explanation/how-an-order-is-collected.md follow the code."""

import ast
import inspect
import re
from functools import reduce
from importlib import import_module
from itertools import groupby, pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/how-an-order-is-collected.md").read_text()
STEP = re.compile(r"(?P<number>\d+)\. `(?P<module>[\w.]+):(?P<name>[\w.]+)`: \S.*")
MAX_STEPS = 10


def read_walks():
    """Return each walk's parts: the lists between two sentences of prose."""
    sections = re.split(r"(?m)^## ", PAGE)[1:]
    walks = {}
    for section in sections:
        title, *lines = section.splitlines()
        found = [STEP.fullmatch(line) for line in lines if line]
        parts = [list(part) for is_step, part in groupby(found, bool) if is_step]
        walks[title] = [[step.groups() for step in part] for part in parts]
    return walks


WALKS = read_walks()
LINKS = [
    (step, following)
    for parts in WALKS.values()
    for part in parts
    for step, following in pairwise(part)
]


def source_of(module, name):
    if module.startswith("functions."):  # importing a function file starts it
        path = ROOT / f"{module.replace('.', '/')}.py"
        [node] = [
            each
            for each in ast.parse(path.read_text()).body
            if isinstance(each, ast.FunctionDef) and each.name == name
        ]
        return ast.unparse(node)
    found = reduce(getattr, name.split("."), import_module(module))
    return inspect.getsource(inspect.unwrap(found))


def names(source, name):
    return re.search(rf"\b{name.rpartition('.')[2]}\b", source) is not None


@pytest.mark.parametrize(
    ("step", "following"), LINKS, ids=[step[2] for step, _ in LINKS]
)
def test_a_function_calls_the_next_or_returns_to_it(step, following):
    _, *this = step
    _, *other = following
    assert names(source_of(*this), other[1]) or names(source_of(*other), this[1])


@pytest.mark.parametrize("title", WALKS)
def test_a_walk_of_at_most_ten_functions_never_returns_to_a_module_it_left(title):
    assert len(WALKS) == 3
    steps = [step for part in WALKS[title] for step in part]
    numbers = [int(number) for number, _, _ in steps]
    assert numbers == list(range(1, len(numbers) + 1))
    assert 1 < len(numbers) <= MAX_STEPS
    visited = [module for module, _ in groupby(step[1] for step in steps)]
    assert len(visited) == len(set(visited))

"""Folders and modules stay small, and every package states what belongs in it."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICE, DEVKIT = ROOT / "layers/service/python/kycourier", ROOT / "devkit"
MAX_MODULES, MAX_LINES = 14, 250
FOLDERS = [SERVICE, DEVKIT / "kycourier_devkit", ROOT / "bench", ROOT / "tests"]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("top", FOLDERS, ids=name_of)
def test_folder_has_at_most_fourteen_modules(top):
    modules = [path for path in top.rglob("*.py") if path.name != "__init__.py"]
    counts = Counter(name_of(path.parent) for path in modules)

    crowded = {name: count for name, count in counts.items() if count > MAX_MODULES}

    assert crowded == {}


@pytest.mark.parametrize("top", FOLDERS[:3], ids=name_of)
def test_module_has_at_most_250_lines(top):
    lengths = {
        name_of(path): len(path.read_text("utf-8").splitlines())
        for path in top.rglob("*.py")
    }

    long = {name: lines for name, lines in lengths.items() if lines > MAX_LINES}

    assert long == {}


@pytest.mark.parametrize("top", FOLDERS[:2], ids=name_of)
def test_package_has_a_docstring(top):
    folders = {path.parent for path in top.rglob("*.py")}
    inits = sorted(folder / "__init__.py" for folder in folders)

    undocumented = [
        name_of(init)
        for init in inits
        if not init.exists()
        or not ast.get_docstring(ast.parse(init.read_text("utf-8")))
    ]

    assert undocumented == []

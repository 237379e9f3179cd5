"""Copies of the source tree, each with an environment that imports from it alone."""

import os
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

from mutants.catalogue import PACKAGE

_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", ".cache", "dist", ".*_cache", ".hypothesis", ".kycourier"
)
_OURS = (PACKAGE.parent, Path("devkit"))


def copy_tree(source: Path, target: Path) -> None:
    """Copy the sources, and give the copy an environment of its own.

    Its libraries are those of this Python; of ours it sees only the copy, since the
    `.pth` files of this environment, which lead to `source`, are not read there.
    """
    shutil.copytree(source, target, ignore=_LEFT_OUT, symlinks=True)
    (target / ".cache").symlink_to((source / ".cache").resolve())
    venv.create(target / ".venv", symlinks=True)
    libraries = Path(sysconfig.get_path("purelib"))
    inside = libraries.relative_to(sys.prefix)
    paths = [*(target / part for part in _OURS), libraries]
    written = "".join(f"{path}\n" for path in paths)
    (target / ".venv" / inside / "copy.pth").write_text(written)


def python_of(copy: Path) -> Path:
    """Give the copy's own interpreter."""
    return copy / ".venv/bin/python"


def environment_of(copy: Path) -> dict[str, str]:
    """Give what a run in the copy sees of the environment, the same each time."""
    around = os.environ  # noqa: TID251 - a program's own
    kept = {name: around[name] for name in ("PATH", "HOME") if name in around}
    return {**kept, "PYTHONPATH": str(copy / "tests"), "PYTHONHASHSEED": "0"}

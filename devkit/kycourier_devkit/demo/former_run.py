"""Removes what a former run of the local demo left, and nothing else."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from kycourier_devkit.errors import UsageError
from kycourier_devkit.sandbox import APP_ID

_DATABASES = ("state.db", "queue.db")
FILES = (
    *(f"{name}{part}" for name in _DATABASES for part in ("", "-wal", "-shm")),
    "events.jsonl",
    "functions.log",
)
EVIDENCE = "evidence"
_APPS = "SELECT app_id FROM orders UNION SELECT app_id FROM tickets"


def remove_former_run(root: Path) -> None:
    """Removes the sandbox's orders, events and photos below `root`.

    Raises:
        UsageError: `root` has data of another app; nothing is removed.
    """
    if root.is_symlink() or (root.exists() and not root.is_dir()):
        raise _problem(root, "is not a folder")
    for problem in _find_foreign(root):
        raise _problem(root, problem)
    try:
        for name in FILES:
            (root / name).unlink(missing_ok=True)
        if (root / EVIDENCE).exists():
            shutil.rmtree(root / EVIDENCE)
    except OSError as error:
        reason = error.strerror
    else:
        return
    raise _problem(root, f"cannot be emptied ({reason})")


def _find_foreign(root: Path) -> Iterator[str]:
    """Yields what the demo did not leave there."""
    for name in FILES:
        path = root / name
        if path.is_symlink() or (path.exists() and not path.is_file()):
            yield f"has a {name} that is not a plain file"
    evidence = root / EVIDENCE
    if evidence.is_symlink() or (evidence.exists() and not evidence.is_dir()):
        yield f"has an {EVIDENCE} that is not a folder"
    elif evidence.is_dir() and {each.name for each in evidence.iterdir()} - {APP_ID}:
        yield f"holds evidence of another app than {APP_ID}"
    if (root / "state.db").is_file() and _find_apps(root / "state.db") - {APP_ID}:
        yield f"holds orders of another app than {APP_ID}"


def _find_apps(path: Path) -> set[str]:
    """Returns the apps in a state file; none if it has no tables yet."""
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as state:
            return {app_id for (app_id,) in state.execute(_APPS)}
    except sqlite3.OperationalError:
        return set()
    except sqlite3.DatabaseError:
        return {"not a state file"}


def _problem(root: Path, problem: str) -> UsageError:
    return UsageError(f"{root.name} {problem}. Run the demo in another folder.")

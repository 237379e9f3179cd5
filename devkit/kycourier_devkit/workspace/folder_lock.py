"""Locks the local folder, so that only one demo or serve uses it at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kycourier.adapters.local.files import PRIVATE_FILE, make_folder
from kycourier_devkit.errors import UsageError

_FILE_NAME = "running.lock"


@contextmanager
def lock_folder(root: Path) -> Iterator[None]:
    """Lock the folder. Raises UsageError if another command has locked it."""
    try:
        make_folder(root.absolute())
        handle = os.open(root / _FILE_NAME, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        reason = error.strerror
    else:
        try:
            _lock(handle, root)
            yield
        finally:
            os.close(handle)
        return
    raise UsageError(f"{root.name} cannot be written here: {reason}")


def _lock(handle: int, root: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # raised below, without the OSError as its context
    else:
        return
    raise UsageError(f"another serve or demo uses {root.name} here: stop it first")

"""One at a time: demo and serve each have the local folder to themselves."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kycourier.adapters.local.files import PRIVATE_FILE, make_folder
from kycourier_devkit.errors import UsageProblem

NAME = "running.lock"


@contextmanager
def hold(root: Path) -> Iterator[None]:
    """Hold the folder's lock. Raises UsageProblem when another command does."""
    try:
        make_folder(root.absolute())
        handle = os.open(root / NAME, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    except OSError as error:
        reason = error.strerror
    else:
        try:
            _lock(handle, root)
            yield
        finally:
            os.close(handle)
        return
    raise UsageProblem(f"{root.name} cannot be written here: {reason}")


def _lock(handle: int, root: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # said below
    else:
        return
    raise UsageProblem(f"another kycourier command is running on this {root.name}")

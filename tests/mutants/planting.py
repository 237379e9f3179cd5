"""Replaces one name of the imported service by a planted bug."""

import os
import sys
import traceback
from collections.abc import Callable
from functools import reduce, wraps
from importlib import import_module
from pathlib import Path
from typing import Any

ERRORS_FILE = "PLANT_ERRORS"  # environment variable: the file for errors of a plant


class TargetError(Exception):
    """A target does not exist, or the change leaves it as it was."""


def plant(target: str, change: Callable[[Any], Any]) -> None:
    """Replace `target` wherever modules have imported it. Raises TargetError."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    try:
        owner = reduce(getattr, owners, import_module(module))
        original = vars(owner)[name]
    except (ImportError, AttributeError, KeyError) as error:
        raise TargetError(f"{target} does not exist") from error
    changed = change(original)
    if changed == original:
        raise TargetError(f"the change leaves {target} as it was")
    setattr(owner, name, changed)
    for importer in list(sys.modules.values()):
        if getattr(importer, "__dict__", {}).get(name) is original:
            setattr(importer, name, changed)


def wrap(function: Callable[..., Any], original: Any) -> Callable[..., Any]:
    """Return `function` with `original` as its first argument.

    An error in the code of the plant itself proves nothing: it is written to the
    file that `PLANT_ERRORS` names, and the runner reports the plant as broken.
    """

    @wraps(original)
    def planted(*args: object, **options: object) -> object:
        try:
            return function(original, *args, **options)
        except (AttributeError, NameError, TypeError) as error:
            raised_in = traceback.extract_tb(error.__traceback__)[-1].filename
            path = os.environ.get(ERRORS_FILE)  # noqa: TID251 - a test program
            if path and raised_in in {__file__, function.__code__.co_filename}:
                with Path(path).open("a") as file:
                    file.write(f"{type(error).__name__}: {error}\n")
            raise

    return planted

"""Mutes the loggers of libraries that write requests and responses.

A filter does not apply to child loggers, so each logger gets its own.
"""

import logging
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import PurePath
from pkgutil import iter_modules


def mute_loggers(names: Iterable[str]) -> None:
    """Drops every record of these loggers, whatever their level."""
    for name in names:
        logging.getLogger(name).addFilter(_drop)


@cache
def logger_names(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the name of every module of the packages, imported or not.

    Libraries name a logger after each module.
    """
    names = []
    for package in packages:
        spec = find_spec(package)
        folders = spec.submodule_search_locations if spec else None
        names += [package, *_modules(folders or (), package)]
    return tuple(names)


def _modules(folders: Iterable[str], package: str) -> Iterator[str]:
    for module in iter_modules(folders, f"{package}."):
        yield module.name
        if module.ispkg:
            last = module.name.rpartition(".")[2]
            subfolders = [str(PurePath(folder, last)) for folder in folders]
            yield from _modules(subfolders, module.name)


def _drop(_record: logging.LogRecord) -> bool:
    return False

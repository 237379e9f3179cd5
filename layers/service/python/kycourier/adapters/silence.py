"""Loggers of libraries that write what passes through them: whole records are dropped.

A filter does not reach the loggers below one, so each is named.
"""

import logging
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import PurePath
from pkgutil import iter_modules


def shut_loggers(names: Iterable[str]) -> None:
    """Drop every record of these loggers, whatever their level."""
    for name in names:
        logging.getLogger(name).addFilter(_drop)


@cache
def name_loggers(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Name a logger for every module, also of those that nobody has imported yet."""
    names = []
    for package in packages:
        found = find_spec(package)
        folders = found.submodule_search_locations if found else None
        names += [package, *_modules(folders or (), package)]
    return tuple(names)


def _modules(folders: Iterable[str], package: str) -> Iterator[str]:
    for module in iter_modules(folders, f"{package}."):
        yield module.name
        if module.ispkg:
            last = module.name.rpartition(".")[2]
            inner = [str(PurePath(folder, last)) for folder in folders]
            yield from _modules(inner, module.name)


def _drop(_record: logging.LogRecord) -> bool:
    return False

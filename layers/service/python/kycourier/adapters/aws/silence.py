"""Which loggers of AWS's SDK write what passes through them: all are shut."""

import logging
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import PurePath
from pkgutil import iter_modules

LOUD_PACKAGES = ("boto3", "botocore", "s3transfer", "urllib3")


@cache
def loud_loggers() -> tuple[str, ...]:
    """Name a logger for every module, also of those that nobody has imported yet.

    Each module has one of its own, and a filter does not reach the loggers below.
    """
    names = []
    for package in LOUD_PACKAGES:
        found = find_spec(package)
        folders = found.submodule_search_locations if found else None
        names += [package, *_modules(folders or (), package)]
    return tuple(names)


def silence_libraries() -> None:
    """Drop every record of the SDK's loggers: at DEBUG they write whole requests.

    Nor do its connections heed the switch of http.client that prints them.
    """
    for name in loud_loggers():
        logging.getLogger(name).addFilter(_drop)
    from botocore.awsrequest import (  # noqa: PLC0415 - naming them loads nothing
        AWSHTTPConnection,
        AWSHTTPSConnection,
    )

    for connection in (AWSHTTPConnection, AWSHTTPSConnection):
        connection.debuglevel = 0  # http.client's own prints every request


def _modules(folders: Iterable[str], package: str) -> Iterator[str]:
    for module in iter_modules(folders, f"{package}."):
        yield module.name
        if module.ispkg:
            last = module.name.rpartition(".")[2]
            inner = [str(PurePath(folder, last)) for folder in folders]
            yield from _modules(inner, module.name)


def _drop(_record: logging.LogRecord) -> bool:
    return False

"""Stand-ins of the clouds, one for each worker of the suite, started when used."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from kycourier_devkit.errors import ToolMissing

IN_CLOUD = (pytest.mark.enable_socket, pytest.mark.slow)
STAND_INS = {"dynamodb": "moto", "dynalite": "dynalite", "redis": "redis_url"}
STATE_KINDS = [
    "memory",
    "sqlite",
    *(pytest.param(kind, marks=IN_CLOUD) for kind in STAND_INS),
]


@contextmanager
def or_skip(stand_in: AbstractContextManager[str]) -> Iterator[str]:
    """Start a stand-in; where it cannot be had, skip in plain words."""
    try:
        url = stand_in.__enter__()
    except ToolMissing as missing:
        pytest.skip(str(missing))
    try:
        yield url
    finally:
        stand_in.__exit__(None, None, None)

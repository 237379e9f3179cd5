"""Stand-ins of the clouds, one for each worker of the suite, started when used."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.toolbox import python_tool

IN_CLOUD = (pytest.mark.enable_socket, pytest.mark.slow)
STAND_INS = {
    "dynamodb": "moto",
    "dynalite": "dynalite",
    "bench_table": "bench_table",
    "redis": "redis_url",
}
STATE_KINDS = [
    "memory",
    "sqlite",
    *(pytest.param(kind, marks=IN_CLOUD) for kind in STAND_INS),
]


def tool_or_skip(name: str) -> Path:
    """Give a tool's programs; skip in plain words where it cannot be had."""
    try:
        return python_tool(name)
    except ToolMissing as missing:
        pytest.skip(str(missing))


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

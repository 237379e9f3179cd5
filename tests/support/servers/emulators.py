"""Emulators of cloud services: markers, kinds of state, and start or skip."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kycourier_devkit.errors import ToolUnavailableError
from kycourier_devkit.tool_envs import python_tool

EMULATOR_MARKS = (pytest.mark.enable_socket, pytest.mark.slow)
EMULATOR_FIXTURES = {
    "dynamodb": "moto",
    "dynalite": "dynalite",
    "bench_table": "bench_table",
    "redis": "redis_url",
}
STATE_KINDS = [
    "memory",
    "sqlite",
    *(pytest.param(kind, marks=EMULATOR_MARKS) for kind in EMULATOR_FIXTURES),
]


def tool_or_skip(name: str) -> Path:
    """Return a tool's program folder; skips the test if it cannot be installed."""
    try:
        return python_tool(name)
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))


@contextmanager
def start_or_skip(emulator: AbstractContextManager[str]) -> Iterator[str]:
    """Start an emulator and yield its URL; skips the test if it is unavailable."""
    try:
        url = emulator.__enter__()
    except ToolUnavailableError as missing:
        pytest.skip(str(missing))
    try:
        yield url
    finally:
        emulator.__exit__(None, None, None)

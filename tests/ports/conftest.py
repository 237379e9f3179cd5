"""The kinds of stores, a fake clock and concurrent callers for the contract suites."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from support.fakes import FakeClock
from support.servers.emulators import EMULATOR_FIXTURES, STATE_KINDS

T = TypeVar("T")
WORKERS = 8


@pytest.fixture(scope="session")
def location_of(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path | str]:
    """Return a function from a kind of store to a new folder or an emulator's URL."""

    def find(kind: str) -> Path | str:
        if kind in EMULATOR_FIXTURES:
            return request.getfixturevalue(EMULATOR_FIXTURES[kind])
        return tmp_path_factory.mktemp(kind)

    return find


@pytest.fixture(params=STATE_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Return each kind of state in turn."""
    return request.param


@pytest.fixture
def location(kind: str, location_of: Callable[[str], Path | str]) -> Path | str:
    """Return the folder or URL of a store of this kind."""
    return location_of(kind)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def at_once() -> Callable[[Callable[[int], T]], list[T]]:
    """Run a function of the worker's number in eight threads that start together."""

    def run(work: Callable[[int], T]) -> list[T]:
        barrier = threading.Barrier(WORKERS)

        def begin(worker: int) -> T:
            barrier.wait()
            return work(worker)

        with ThreadPoolExecutor(WORKERS) as pool:
            return list(pool.map(begin, range(WORKERS)))

    return run

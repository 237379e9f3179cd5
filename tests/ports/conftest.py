"""What every contract suite starts from: a clock that only the test moves."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from fakes import FakeClock
from stand_ins import STAND_INS, STATE_KINDS

T = TypeVar("T")
WORKERS = 8


@pytest.fixture(scope="session")
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path | str]:
    """Give where a store of a kind lies: a new folder, or a stand-in's URL."""

    def give(kind: str) -> Path | str:
        if kind in STAND_INS:
            return request.getfixturevalue(STAND_INS[kind])
        return tmp_path_factory.mktemp(kind)

    return give


@pytest.fixture(params=STATE_KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Give each kind of state in turn."""
    return request.param


@pytest.fixture
def place(kind: str, stage: Callable[[str], Path | str]) -> Path | str:
    """Give where a store of the kind lies."""
    return stage(kind)


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

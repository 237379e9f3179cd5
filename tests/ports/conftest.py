"""The kinds of stores, a fake clock and concurrent callers for the contract suites."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from kycourier.core.errors import EvidenceConflictError, StaleOwnerError
from support.fakes import FakeClock
from support.rigs.state_rig import StateRig, open_state_rig
from support.servers.emulators import EMULATOR_FIXTURES, STATE_KINDS

T = TypeVar("T")
THREADS = 8


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
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rig(
    kind: str, location_of: Callable[[str], Path | str], clock: FakeClock
) -> StateRig:
    """Return new stores of each kind of state in turn."""
    return open_state_rig(kind, location_of(kind), clock)


@pytest.fixture
def at_once() -> Callable[[Callable[[int], T]], list[T]]:
    """Run a function of the worker's number in eight threads that start together."""

    def run(work: Callable[[int], T]) -> list[T]:
        barrier = threading.Barrier(THREADS)

        def begin(worker: int) -> T:
            barrier.wait()
            return work(worker)

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(begin, range(THREADS)))

    return run


@pytest.fixture
def winners(
    at_once: Callable[[Callable[[int], T]], list[T]],
) -> Callable[[Callable[[int], object]], list[int]]:
    """Run a write in eight threads; return the workers whose write was accepted."""

    def run(write: Callable[[int], object]) -> list[int]:
        def is_accepted(worker: int) -> bool:
            try:
                write(worker)
            except (StaleOwnerError, EvidenceConflictError):
                return False
            return True

        return [worker for worker, won in enumerate(at_once(is_accepted)) if won]

    return run

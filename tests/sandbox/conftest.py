"""A sandbox on a fake clock, and a client that speaks to it."""

from collections.abc import Iterator

import pytest

from kycourier_devkit.sandbox import Sandbox
from sandbox.kyc_client import FakeClock, KycClient, Scene


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox(clock: FakeClock) -> Iterator[Sandbox]:
    with Sandbox(clock=clock, sleep=clock.advance) as started:
        yield started


@pytest.fixture
def client(sandbox: Sandbox) -> KycClient:
    return KycClient(sandbox)


@pytest.fixture
def scene(sandbox: Sandbox, client: KycClient, clock: FakeClock) -> Scene:
    return Scene(sandbox, client, clock, client.refresh())

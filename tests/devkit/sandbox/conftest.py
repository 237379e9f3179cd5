"""Provides a sandbox on a fake clock, a client of it, and both as a rig."""

from collections.abc import Iterator

import pytest

from devkit.sandbox.kyc_client import FakeClock, KycClient, SandboxRig
from kycourier_devkit.sandbox import Sandbox


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
def rig(sandbox: Sandbox, client: KycClient, clock: FakeClock) -> SandboxRig:
    return SandboxRig(sandbox, client, clock, client.refresh())

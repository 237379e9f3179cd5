"""A cloud and a deployer of the test's own."""

from pathlib import Path

import pytest

from deploying import Cloud, Deployer


@pytest.fixture
def cloud() -> Cloud:
    """Give an account in which only what is made beforehand is there."""
    return Cloud()


@pytest.fixture
def deployer(tmp_path: Path, cloud: Cloud) -> Deployer:
    """Give who deploys to it."""
    return Deployer(tmp_path, cloud)

"""A fake account and a deployer for each test."""

from pathlib import Path

import pytest

from support.tencent_account import FakeAccount
from support.tencent_deployment import Deployer


@pytest.fixture
def account() -> FakeAccount:
    """Return an account that holds only the prerequisites."""
    return FakeAccount()


@pytest.fixture
def deployer(tmp_path: Path, account: FakeAccount) -> Deployer:
    """Return a deployer for that account."""
    return Deployer(tmp_path, account)

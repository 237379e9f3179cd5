"""The packages, and houses on them."""

from contextlib import ExitStack

import pytest

from built import LambdaHouse
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.lambda_runtime.deployment import deploy


@pytest.fixture(scope="session")
def deployment(packages, tmp_path_factory):
    """Give the packages unpacked as Lambda does."""
    try:
        return deploy(packages, tmp_path_factory.mktemp("lambda"))
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def aws(house, deployment):
    """Give a house whose functions run from the packages."""
    with ExitStack() as stack:
        yield LambdaHouse(house, deployment, stack)

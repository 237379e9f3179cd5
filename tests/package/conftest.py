"""The packages, and houses on them."""

from contextlib import ExitStack

import pytest

from built import LambdaHouse, build_into
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.lambda_runtime.deployment import deploy


@pytest.fixture(scope="session")
def deployment(packages, tmp_path_factory):
    """Give the packages unpacked as Lambda does."""
    try:
        return deploy(packages, tmp_path_factory.mktemp("lambda"))
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def pinned(tmp_path_factory):
    """Give the folder of zips with boto3 in its layer, for one architecture."""
    folder = tmp_path_factory.mktemp("pinned")
    build_into(folder, pins_boto3=True, architectures=["arm64"], python=None)
    return folder


@pytest.fixture
def aws(house, deployment):
    """Give a house whose functions run from the packages."""
    with ExitStack() as stack:
        yield LambdaHouse(house, deployment, stack)

"""The packages, and houses on them."""

from contextlib import ExitStack

import pytest

from built import LambdaHouse, build_once
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.lambda_runtime.deployment import deploy


@pytest.fixture(scope="session")
def packages(tmp_path_factory, worker_id):
    """Give the folder of zips, built once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    return build_once(shared / "dist")


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

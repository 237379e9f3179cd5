"""The packages, and houses on them."""

from contextlib import ExitStack

import pytest

from built import LambdaHouse, ScfHouse, build_into
from kycourier_devkit.errors import ToolMissing
from kycourier_devkit.lambda_runtime.deployment import deploy
from kycourier_devkit.package.clouds import TENCENT
from kycourier_devkit.scf_runtime.deployment import deploy as deploy_on_scf


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


@pytest.fixture(scope="session")
def scf_deployment(packages_of, tmp_path_factory):
    """Give the packages unpacked as SCF does."""
    try:
        return deploy_on_scf(packages_of(TENCENT), tmp_path_factory.mktemp("scf"))
    except ToolMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def scf(house, scf_deployment):
    """Give a house whose functions run from the packages, in SCF's layout."""
    with ExitStack() as stack:
        yield ScfHouse(house, scf_deployment, stack)

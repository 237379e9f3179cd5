"""Fixtures of the tests of the built zips."""

import pytest

from support.built_packages import build_into
from support.packaged_rigs import (  # noqa: F401 - fixtures
    lambda_deployment,
    lambda_rig,
    scf_deployment,
    scf_rig,
)


@pytest.fixture(scope="session")
def pinned(tmp_path_factory):
    """Return a folder of zips with boto3 in the layer, for one architecture."""
    folder = tmp_path_factory.mktemp("pinned")
    build_into(folder, pins_boto3=True, architectures=["arm64"], python=None)
    return folder

"""Fixtures of the tests that run the functions from the built zips."""

import pytest

from support.packaged_rigs import (  # noqa: F401 - fixtures
    lambda_deployment,
    lambda_rig,
    scf_deployment,
    scf_rig,
)


@pytest.fixture(scope="session")
def deployment(lambda_deployment):  # noqa: F811 - the fixture
    return lambda_deployment


@pytest.fixture
def aws(lambda_rig):  # noqa: F811 - the fixture
    return lambda_rig


@pytest.fixture
def scf(scf_rig):  # noqa: F811 - the fixture
    return scf_rig

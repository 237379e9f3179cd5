"""Fixtures of the tests that run the functions from the built zips."""

from support.packaged_rigs import (  # noqa: F401 - fixtures
    lambda_deployment,
    lambda_rig,
    scf_deployment,
    scf_rig,
)

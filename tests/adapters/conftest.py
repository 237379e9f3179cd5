"""DynamoDB rigs and S3 stores behind scripted proxies."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from kycourier.adapters.s3.evidence import S3EvidenceStore
from support.aws.aws_proxy import AwsProxy
from support.aws.dynamo_rig import DynamoRig, open_dynamo_rig
from support.aws.s3_objects import PREFIX
from support.aws.services import new_bucket, open_evidence
from support.servers.emulators import EMULATOR_FIXTURES, EMULATOR_MARKS

DYNAMODBS = ("dynamodb", "dynalite")


@pytest.fixture(params=[pytest.param(kind, marks=EMULATOR_MARKS) for kind in DYNAMODBS])
def dynamo(
    request: pytest.FixtureRequest, proxies: Callable[[str], AwsProxy]
) -> DynamoRig:
    url = request.getfixturevalue(EMULATOR_FIXTURES[request.param])
    return open_dynamo_rig(proxies(url), url)


@pytest.fixture
def lone_proxy() -> Iterator[AwsProxy]:
    """Return a proxy without a target: every call must be planned."""
    with closing(AwsProxy()) as proxy:
        yield proxy


@pytest.fixture
def bucket(moto: str) -> str:
    return new_bucket(moto)


@pytest.fixture
def store(proxy: AwsProxy, bucket: str) -> S3EvidenceStore:
    """Return a store on a prefix of the bucket, through the proxy."""
    return open_evidence(proxy.url, f"{bucket}/{PREFIX}")

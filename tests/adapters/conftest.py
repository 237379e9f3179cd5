"""DynamoDB rigs and buckets behind scripted proxies."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from kycourier_devkit.emulators.tencent.cos import Cos
from support.aws.aws_proxy import AwsProxy
from support.aws.dynamo_rig import DynamoRig, open_dynamo_rig
from support.rigs.bucket import BucketRig, open_cos_rig, open_s3_rig
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
def in_s3(moto: str, proxy: AwsProxy) -> BucketRig:
    return open_s3_rig(moto, proxy)


@pytest.fixture
def in_cos(moto: str, cos: Cos) -> Iterator[BucketRig]:
    with open_cos_rig(moto, cos) as rig:
        yield rig


@pytest.fixture(params=["in_s3", "in_cos"])
def rig(request: pytest.FixtureRequest) -> BucketRig:
    """Return a bucket of each dialect in turn."""
    return request.getfixturevalue(request.param)

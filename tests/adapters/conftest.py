"""What the adapters' tests share."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from aws.bench import Bench, build
from aws.bucket import PREFIX
from aws.edges import new_bucket, open_evidence
from aws.proxy import AwsProxy
from kycourier.adapters.object_store import ObjectEvidenceStore
from stand_ins import IN_CLOUD, STAND_INS

DYNAMODBS = ("dynamodb", "dynalite")


@pytest.fixture(params=[pytest.param(kind, marks=IN_CLOUD) for kind in DYNAMODBS])
def dynamo(request: pytest.FixtureRequest, proxies: Callable[[str], AwsProxy]) -> Bench:
    url = request.getfixturevalue(STAND_INS[request.param])
    return build(proxies(url), url)


@pytest.fixture
def lone_proxy() -> Iterator[AwsProxy]:
    """Give a proxy that nothing lies behind."""
    with closing(AwsProxy()) as proxy:
        yield proxy


@pytest.fixture
def bucket(moto: str) -> str:
    return new_bucket(moto)


@pytest.fixture
def store(proxy: AwsProxy, bucket: str) -> ObjectEvidenceStore:
    """Open a prefix of the bucket, through the proxy."""
    return open_evidence(proxy.url, f"{bucket}/{PREFIX}")

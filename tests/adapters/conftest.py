"""What the adapters' tests share."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from aws_bench import Bench, build
from aws_edges import new_bucket, open_evidence
from aws_gate import Gate
from aws_proxy import AwsProxy
from bucket_bench import PREFIX
from certificates import Certificates, make_certificates
from kycourier.adapters.object_store import ObjectEvidenceStore
from stand_ins import IN_CLOUD, STAND_INS

DYNAMODBS = ("dynamodb", "dynalite")


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made by the openssl command")
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def gates() -> Iterator[Callable[[str], Gate]]:
    """Give the one gate before a stand-in, with nothing planned or noted."""
    with ExitStack() as stack:

        @cache
        def opened(url: str) -> Gate:
            gate = Gate(url)
            stack.callback(gate.close)
            return gate

        def give(url: str) -> Gate:
            gate = opened(url)
            gate.forget()
            return gate

        yield give


@pytest.fixture(params=[pytest.param(kind, marks=IN_CLOUD) for kind in DYNAMODBS])
def dynamo(request: pytest.FixtureRequest, gates: Callable[[str], Gate]) -> Bench:
    url = request.getfixturevalue(STAND_INS[request.param])
    return build(gates(url), url)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """Give a gate that nothing lies behind."""
    gate = Gate()
    yield gate
    gate.close()


@pytest.fixture
def bucket(moto: str) -> str:
    return new_bucket(moto)


@pytest.fixture
def store(proxy: AwsProxy, bucket: str) -> ObjectEvidenceStore:
    """Open a prefix of the bucket, through the proxy."""
    return open_evidence(proxy.url, f"{bucket}/{PREFIX}")

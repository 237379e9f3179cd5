"""Evidence stores in S3 and COS, each on a prefix of a new bucket behind a proxy."""

import hashlib
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import pytest

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.ports import EvidenceStore
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.emulators.tencent.cos import Cos
from support.aws import services
from support.aws.aws_proxy import AwsProxy
from support.aws.clients import aws_client, aws_environ
from support.fakes import FakeClock
from support.start_checks import STATE
from support.tencent_api_rig import REGION, new_bucket, role_environ

KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 9
OTHER = b"other bytes"
PREFIX = "some/prefix"
UNCLEAR = "unclear response"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put_object(store: EvidenceStore, key: str = KEY, content: bytes = PHOTO) -> None:
    store.put(key, content, sha256=sha256(content), media_type="image/jpeg")


class BucketRig(NamedTuple):
    """A store and the proxy to its bucket; calls of the start are not recorded.

    The store reads credentials from `environ`, and its remaining seconds from `left`.
    """

    store: EvidenceStore
    scheme: str
    name: str
    proxy: AwsProxy
    moto: str
    environ: dict[str, str]
    left: list[float]

    def put(self, key: str = KEY, content: bytes = PHOTO) -> None:
        put_object(self.store, key, content)

    def overwrite(self, key: str = KEY, content: bytes = OTHER) -> None:
        """Write an object past the store and the proxy."""
        aws_client("s3", self.moto).put_object(
            Bucket=self.name, Key=f"{PREFIX}/{key}", Body=content
        )

    def read(self) -> bytes:
        """Read the object past the store and the proxy."""
        found = aws_client("s3", self.moto).get_object(
            Bucket=self.name, Key=f"{PREFIX}/{KEY}"
        )
        return found["Body"].read()

    def puts(self) -> int:
        return len(self.proxy.calls_to("PUT"))


def open_s3_rig(moto: str, proxy: AwsProxy) -> BucketRig:
    name = services.new_bucket(moto)
    return _open("s3", name, "", proxy, moto, aws_environ(proxy.url))


@contextmanager
def open_cos_rig(moto: str, cos: Cos) -> Iterator[BucketRig]:
    with closing(AwsProxy(cos.url)) as proxy:
        name, query = new_bucket(cos), f"?region={REGION}"
        yield _open("cos", name, query, proxy, moto, role_environ(proxy.url))


def _open(
    scheme: str,
    name: str,
    query: str,
    proxy: AwsProxy,
    moto: str,
    environ: dict[str, str],
) -> BucketRig:
    left = [math.inf]
    context = AdapterContext(
        clock=FakeClock(), environ=environ, seconds_left=lambda: left[0]
    )
    url = ResourceUrl(scheme, f"{name}/{PREFIX}{query}")
    store = registry.open_evidence(url, context, state=STATE)
    proxy.reset()
    return BucketRig(store, scheme, name, proxy, moto, environ, left)


@contextmanager
def unavailable(reason: str) -> Iterator[None]:
    """Assert that the store fails with this reason and chains no library exception."""
    with pytest.raises(EvidenceUnavailableError) as failure:
        yield
    assert failure.value.reason == reason
    assert failure.value.__context__ is None
    assert failure.value.__cause__ is None

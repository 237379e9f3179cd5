"""`kycourier verify` reads evidence in COS where its URL says in which region it is."""

import hashlib
from io import StringIO

import pytest

from aws.access import client
from devkit.test_verify import keep
from fakes import FakeClock
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.evidence.verify import verify_paths
from kycourier_devkit.screen import Screen
from kycourier_devkit.session import Session
from stand_ins import IN_CLOUD
from tencent.account import REGION, around, new_bucket, open_evidence

pytestmark = [*IN_CLOUD]
FOLDER = "SANDBOX1/2026/01/01"


@pytest.fixture
def bucket(cos, tmp_path):
    """Give a bucket with one collection below a prefix."""
    name = new_bucket(cos)
    store = open_evidence(cos.url, f"{name}/kyc")
    keep(tmp_path / "one")
    for path in (tmp_path / "one").iterdir():
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        key = f"{FOLDER}/one/{path.name}"
        store.put(key, content, sha256=digest, media_type="image/jpeg")
    return name


@pytest.fixture
def session(cos, tmp_path):
    environ = dict(around(cos.url).environ)
    return Session(environ, tmp_path, Screen(StringIO(), StringIO()), FakeClock())


@pytest.mark.parametrize("below", [FOLDER, f"{FOLDER}/one"])
def test_evidence_in_cos_is_whole(session, bucket, below):
    assert verify_paths(session, [f"cos://{bucket}/kyc/{below}?region={REGION}"]) == 0


def test_an_object_that_is_gone_is_found(session, bucket, moto):
    s3 = client("s3", moto)
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    [gone] = [each["Key"] for each in listed if "original" in each["Key"]]
    s3.delete_object(Bucket=bucket, Key=gone)

    assert verify_paths(session, [f"cos://{bucket}/kyc/{FOLDER}?region={REGION}"]) == 1


def test_without_a_region_it_says_what_is_missing(session, bucket):
    with pytest.raises(UsageProblem) as failure:
        verify_paths(session, [f"cos://{bucket}/kyc/{FOLDER}"])

    assert "names no region" in str(failure.value)

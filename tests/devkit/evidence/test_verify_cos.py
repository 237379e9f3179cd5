"""`kycourier verify` reads evidence in COS if its URL has the region."""

import hashlib
from io import StringIO

import pytest

from devkit.evidence.collections import write_collection
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.errors import UsageError
from kycourier_devkit.evidence.verify import verify_paths
from support.aws.clients import aws_client
from support.fakes import FakeClock
from support.servers.emulators import EMULATOR_MARKS
from support.tencent_api_rig import REGION, new_bucket, open_evidence, tencent_context

pytestmark = [*EMULATOR_MARKS]
FOLDER = "SANDBOX1/2026/01/01"


@pytest.fixture
def bucket(cos, tmp_path):
    """Return a bucket with one collection below a prefix."""
    name = new_bucket(cos)
    store = open_evidence(cos.url, f"{name}/kyc")
    write_collection(tmp_path / "one")
    for path in (tmp_path / "one").iterdir():
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        key = f"{FOLDER}/one/{path.name}"
        store.put(key, content, sha256=digest, media_type="image/jpeg")
    return name


@pytest.fixture
def session(cos, tmp_path):
    environ = dict(tencent_context(cos.url).environ)
    return CliContext(environ, tmp_path, Terminal(StringIO(), StringIO()), FakeClock())


@pytest.mark.parametrize("below", [FOLDER, f"{FOLDER}/one"])
def test_complete_evidence_passes(session, bucket, below):
    assert verify_paths(session, [f"cos://{bucket}/kyc/{below}?region={REGION}"]) == 0


def test_missing_object_is_found(session, bucket, moto):
    s3 = aws_client("s3", moto)
    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    [gone] = [each["Key"] for each in listed if "original" in each["Key"]]
    s3.delete_object(Bucket=bucket, Key=gone)

    assert verify_paths(session, [f"cos://{bucket}/kyc/{FOLDER}?region={REGION}"]) == 1


def test_missing_region_is_reported(session, bucket):
    with pytest.raises(UsageError) as failure:
        verify_paths(session, [f"cos://{bucket}/kyc/{FOLDER}"])

    assert "has no region" in str(failure.value)

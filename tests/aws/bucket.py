"""An evidence bucket of the stand-in's, and what its tests put there."""

import hashlib

import pytest

from aws.access import client
from kycourier.core.errors import KycourierError
from kycourier.ports import EvidenceStore

KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 9
OTHER = b"other bytes"
PREFIX = "some/prefix"
UNCLEAR = "no clear answer"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(store: EvidenceStore, key: str = KEY, content: bytes = PHOTO) -> None:
    store.put(key, content, sha256=sha256(content), media_type="image/jpeg")


def put_as_another(moto: str, bucket: str, content: bytes = OTHER) -> None:
    client("s3", moto).put_object(Bucket=bucket, Key=f"{PREFIX}/{KEY}", Body=content)


def read(moto: str, bucket: str) -> bytes:
    found = client("s3", moto).get_object(Bucket=bucket, Key=f"{PREFIX}/{KEY}")
    return found["Body"].read()


def assert_told(failure: pytest.ExceptionInfo[KycourierError], reason: str) -> None:
    """Hold that a failure says this, and carries nothing foreign along."""
    assert failure.value.reason == reason
    assert failure.value.__context__ is None
    assert failure.value.__cause__ is None

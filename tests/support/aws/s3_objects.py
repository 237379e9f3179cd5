"""Sample evidence objects, written through a store or directly to a bucket."""

import hashlib

import pytest

from kycourier.core.errors import KycourierError
from kycourier.ports import EvidenceStore
from support.aws.clients import aws_client

KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 9
OTHER = b"other bytes"
PREFIX = "some/prefix"
UNCLEAR = "unclear response"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put_object(store: EvidenceStore, key: str = KEY, content: bytes = PHOTO) -> None:
    store.put(key, content, sha256=sha256(content), media_type="image/jpeg")


def put_directly(moto: str, bucket: str, content: bytes = OTHER) -> None:
    aws_client("s3", moto).put_object(
        Bucket=bucket, Key=f"{PREFIX}/{KEY}", Body=content
    )


def read_object(moto: str, bucket: str) -> bytes:
    found = aws_client("s3", moto).get_object(Bucket=bucket, Key=f"{PREFIX}/{KEY}")
    return found["Body"].read()


def assert_failure(failure: pytest.ExceptionInfo[KycourierError], reason: str) -> None:
    """Assert a failure's reason, and that it chains no library exception."""
    assert failure.value.reason == reason
    assert failure.value.__context__ is None
    assert failure.value.__cause__ is None

"""The emulator of COS differs from S3 as COS does, and rejects what COS rejects."""

import re
from contextlib import closing

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from kycourier.adapters.aws.credentials import mute_sdk
from kycourier_devkit.emulators.tencent.cos import Cos
from kycourier_devkit.emulators.tencent.tc3 import Key
from support.servers.emulators import EMULATOR_MARKS
from support.tencent_api_rig import REGION, RENEWED, ROLE, new_bucket

pytestmark = [*EMULATOR_MARKS]


def s3(
    url: str,
    key: Key = ROLE,
    checksums: str = "when_required",
    addressing_style: str = "path",
):
    """Return AWS's own client, which signs as for S3."""
    mute_sdk()
    config = Config(
        retries={"total_max_attempts": 1},
        s3={"addressing_style": addressing_style},
        signature_version="s3v4",
        request_checksum_calculation=checksums,
        response_checksum_validation="when_required",
    )
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=key.secret_id,
        aws_secret_access_key=key.secret_key,
        aws_session_token=key.token,
        config=config,
    )


@pytest.fixture
def name(cos):
    return new_bucket(cos)


def rejected(call, **parameters: object) -> str:
    with pytest.raises(ClientError) as failure:
        call(**parameters)
    return failure.value.response["Error"]["Code"]


def test_create_only_condition_is_ignored(cos, name):
    client = s3(cos.url)
    client.put_object(Bucket=name, Key="k", Body=b"one")

    client.put_object(Bucket=name, Key="k", Body=b"two", IfNoneMatch="*")

    assert client.get_object(Bucket=name, Key="k")["Body"].read() == b"two"


def test_checksum_is_rejected(cos, name):
    client = s3(cos.url, checksums="when_supported")

    code = rejected(client.put_object, Bucket=name, Key="k", Body=b"one")

    assert code == "InvalidArgument"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (RENEWED, "InvalidAccessKeyId"),
        (ROLE._replace(secret_key="another"), "SignatureDoesNotMatch"),
        (ROLE._replace(token="another"), "AccessDenied"),
    ],
)
def test_unknown_key_is_rejected(cos, name, key, code):
    found = rejected(s3(cos.url, key).put_object, Bucket=name, Key="k", Body=b"one")

    assert found == code
    assert cos.calls == []


def test_unsigned_request_is_rejected_with_a_request_id(cos, name):
    response = requests.get(f"{cos.url}/{name}/k", timeout=5)

    assert response.status_code == 403
    assert re.search("<Code>AccessDenied</Code>", response.text)
    assert response.headers["x-cos-request-id"]
    assert not [each for each in response.headers if each.lower().startswith("x-amz")]


@pytest.mark.parametrize("now", [1e9, 4e9])
def test_signature_of_another_time_is_rejected(moto, now):
    with closing(Cos(moto, [ROLE], now=lambda: now)) as cos:
        code = rejected(s3(cos.url).list_objects, Bucket=new_bucket(cos))

    assert code == "RequestTimeTooSkewed"


def test_bucket_in_the_host_name_is_accepted(cos, name):
    client = s3(cos.url)
    client.put_object(Bucket=name, Key="k", Body=b"one")
    by_name = s3("https://cos.ap-guangzhou.myqcloud.com", addressing_style="virtual")
    link = by_name.generate_presigned_url(
        "get_object", Params={"Bucket": name, "Key": "k"}
    )
    host = f"{name}.cos.ap-guangzhou.myqcloud.com"
    assert link.startswith(f"https://{host}/k?")

    local = link.replace(f"https://{host}", cos.url)
    response = requests.get(local, headers={"Host": host}, timeout=5)

    assert response.content == b"one"

"""The stand-in of COS differs from S3 as COS does, and refuses what COS refuses."""

import re
from contextlib import closing

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from kycourier.adapters.aws.silence import silence_libraries
from kycourier_devkit.stand_ins.tencent.cos import Cos
from kycourier_devkit.stand_ins.tencent.tc3 import Key
from stand_ins import IN_CLOUD
from tencent.account import REGION, RENEWED, ROLE, new_bucket

pytestmark = [*IN_CLOUD]


def s3(url: str, key: Key = ROLE, checksums: str = "when_required"):
    """Give AWS's own client, which signs as it does for S3."""
    silence_libraries()
    config = Config(
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
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


def refused(call, **parameters: object) -> str:
    with pytest.raises(ClientError) as failure:
        call(**parameters)
    return failure.value.response["Error"]["Code"]


def test_a_condition_is_ignored_and_the_object_replaced(cos, name):
    client = s3(cos.url)
    client.put_object(Bucket=name, Key="k", Body=b"one")

    client.put_object(Bucket=name, Key="k", Body=b"two", IfNoneMatch="*")

    assert client.get_object(Bucket=name, Key="k")["Body"].read() == b"two"


def test_a_checksum_is_refused(cos, name):
    client = s3(cos.url, checksums="when_supported")

    told = refused(client.put_object, Bucket=name, Key="k", Body=b"one")

    assert told == "InvalidArgument"


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (RENEWED, "InvalidAccessKeyId"),
        (ROLE._replace(secret_key="another"), "SignatureDoesNotMatch"),
        (ROLE._replace(token=None), "AccessDenied"),
        (ROLE._replace(token="another"), "AccessDenied"),
    ],
)
def test_a_key_that_is_not_the_accounts_is_refused(cos, name, key, code):
    told = refused(s3(cos.url, key).put_object, Bucket=name, Key="k", Body=b"one")

    assert told == code
    assert cos.calls == []


def test_a_denied_action_is_refused(moto):
    denied = ROLE._replace(denied=frozenset({"cos:PutObject"}))
    with closing(Cos(moto, [denied])) as cos:
        name = new_bucket(cos)

        told = refused(s3(cos.url).put_object, Bucket=name, Key="k", Body=b"one")

    assert told == "AccessDenied"


def test_what_is_not_there_is_named_as_cos_names_it(cos, name):
    client = s3(cos.url)

    assert refused(client.get_object, Bucket=name, Key="k") == "NoSuchKey"
    absent = {"Bucket": "absent-1250000000", "Key": "k"}
    assert refused(client.get_object, **absent) == "NoSuchBucket"


def test_what_is_not_signed_is_refused_and_every_answer_has_an_id(cos, name):
    told = requests.get(f"{cos.url}/{name}/k", timeout=5)

    assert told.status_code == 403
    assert re.search("<Code>AccessDenied</Code>", told.text)
    assert told.headers["x-cos-request-id"]
    assert not [each for each in told.headers if each.lower().startswith("x-amz")]


@pytest.mark.parametrize("now", [1e9, 4e9])
def test_a_signature_of_another_time_is_refused(moto, now):
    with closing(Cos(moto, [ROLE], now=lambda: now)) as cos:
        told = refused(s3(cos.url).list_objects, Bucket=new_bucket(cos))

    assert told == "RequestTimeTooSkewed"


def test_the_bucket_may_stand_before_the_hosts_name(cos, name):
    client = s3(cos.url)
    client.put_object(Bucket=name, Key="k", Body=b"one")
    link = client.generate_presigned_url(
        "get_object", Params={"Bucket": name, "Key": "k"}
    )
    assert requests.get(link, timeout=5).content == b"one"
    by_name = boto3.client(
        "s3",
        endpoint_url="https://cos.ap-guangzhou.myqcloud.com",
        region_name=REGION,
        aws_access_key_id=ROLE.secret_id,
        aws_secret_access_key=ROLE.secret_key,
        aws_session_token=ROLE.token,
        config=Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    ).generate_presigned_url("get_object", Params={"Bucket": name, "Key": "k"})
    host = f"{name}.cos.ap-guangzhou.myqcloud.com"
    assert by_name.startswith(f"https://{host}/k?")

    there = by_name.replace(f"https://{host}", cos.url)
    told = requests.get(there, headers={"Host": host}, timeout=5)

    assert told.content == b"one"

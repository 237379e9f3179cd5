"""Opening evidence in S3 and COS: endpoints, regions, credentials and start checks."""

import pytest

from kycourier.adapters.aws.evidence import _s3_config as s3_config
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.s3.dialect import NO_BUCKET
from kycourier.adapters.tencent.evidence import _s3_config as cos_config
from support.aws.aws_proxy import respond
from support.aws.clients import aws_context, new_name
from support.fakes import FakeClock
from support.rigs.bucket import KEY, sha256, unavailable
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import closed_port
from support.start_checks import start_failure
from support.tencent_api_rig import REGION, RENEWED, ROLE, role_environ, tencent_context
from support.tencent_api_rig import new_bucket as new_cos_bucket

pytestmark = [*EMULATOR_MARKS]
COS_BUCKET = f"cos://evidence-1250000999?region={REGION}"
CONTEXTS = {"s3://bucket1": aws_context, COS_BUCKET: tencent_context}
COS_FORM = "must be cos://bucket-appid/prefix?region=…"
S3_FORM = (
    "must be s3://bucket/prefix[?sse=AES256|aws:kms|aws:kms:dsse&kms_key=…],"
    " plain names"
)


def start(url: str, context: AdapterContext) -> str:
    """Return why evidence cannot be opened."""
    return start_failure("EVIDENCE", url, context)


@pytest.mark.parametrize("bucket", CONTEXTS)
def test_unreachable_endpoint_stops_the_start(bucket):
    context = CONTEXTS[bucket](f"http://127.0.0.1:{closed_port()}")

    assert start(bucket, context) == "unreachable, or in another region"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("s3://B/x", S3_FORM),
        ("s3://ab", S3_FORM),
        ("s3://bucket//x", S3_FORM),
        ("s3://bucket/a b", S3_FORM),
        ("s3://bucket/../x", S3_FORM),
        ("s3://bucket/x?region=y", S3_FORM),
        ("s3://bucket/x?sse=none", S3_FORM),
        ("s3://bucket/x?sse=AES256&kms_key=alias/k", "kms_key needs sse=aws:kms"),
        ("s3://bucket/x?sse=aws:kms&kms_key=a%20b", "kms_key needs sse=aws:kms"),
        ("s3://bucket/x?kms_key=alias/k", S3_FORM),
        ("cos://evidence/prefix?region=ap-guangzhou", COS_FORM),
        ("cos://evidence-x1?region=ap-guangzhou", COS_FORM),
        ("cos://Evidence-1250000000?region=ap-guangzhou", COS_FORM),
        ("cos://evi.dence-1250000000?region=ap-guangzhou", COS_FORM),
        ("cos://-1250000000?region=ap-guangzhou", COS_FORM),
        (
            "cos://e-1250000000/a//b?region=ap-guangzhou",
            f"{COS_FORM}, with plain names",
        ),
        (
            "cos://e-1250000000/照片?region=ap-guangzhou",
            f"{COS_FORM}, with plain names",
        ),
        (
            "cos://e-1250000000/../a?region=ap-guangzhou",
            f"{COS_FORM}, with plain names",
        ),
        ("cos://evidence-1250000000/prefix", "has no region: append ?region=ap-…"),
    ],
)
def test_malformed_url_stops_the_start(url, why):
    build = aws_context if url.startswith("s3:") else tencent_context

    assert start(url, build("http://127.0.0.1:9")) == why


def test_missing_bucket_stops_the_start(moto, cos):
    assert start(f"s3://{new_name('bucket')}", aws_context(moto)) == NO_BUCKET
    why = start(COS_BUCKET, tencent_context(cos.url))
    assert why == f"{NO_BUCKET}, or denied cos:GetBucket on it"


def test_denied_listing_in_s3_stops_the_start(lone_proxy):
    lone_proxy.plan("GET", respond(403), respond(403))
    lone_proxy.plan("HEAD", respond(403))

    why = start("s3://bucket1", aws_context(lone_proxy.url))

    assert why == "denied s3:ListBucket on a bucket"


@pytest.mark.parametrize(
    ("denied", "why"),
    [
        ({"cos:GetBucket", "cos:HeadObject"}, "denied cos:GetBucket on a bucket"),
        ({"cos:GetBucket"}, f"{NO_BUCKET}, or denied cos:GetBucket on it"),
    ],
)
def test_denied_listing_in_cos_stops_the_start(cos, denied, why):
    url = f"cos://{new_cos_bucket(cos)}?region={REGION}"
    cos.renew(ROLE._replace(denied=frozenset(denied)))

    assert start(url, tencent_context(cos.url)) == why


@pytest.mark.parametrize("status", [301, 400, 503])
def test_bucket_of_another_region_stops_the_start(lone_proxy, status):
    lone_proxy.plan("GET", respond(status), respond(status))
    lone_proxy.plan("HEAD", respond(status), respond(status))

    why = start("s3://bucket1", aws_context(lone_proxy.url))

    assert why == "unreachable, or in another region"


def test_region_of_s3_must_be_set():
    nowhere = aws_context("http://[::1]:9", AWS_REGION="", AWS_DEFAULT_REGION="")

    assert start("s3://bucket1", nowhere) == "no region: set AWS_REGION"


# endpoints


@pytest.mark.parametrize(
    ("bucket", "environ", "endpoint", "by_name"),
    [
        ("b1c", {"AWS_REGION": "eu-west-1"},
         "https://b1c.s3.eu-west-1.amazonaws.com", True),
        ("b1c", {"AWS_DEFAULT_REGION": "cn-north-1"},
         "https://b1c.s3.cn-north-1.amazonaws.com.cn", True),
        ("b.c", {"AWS_REGION": "us-east-1"},
         "https://s3.us-east-1.amazonaws.com", False),
        ("b1c", {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "https://a",
                 "AWS_ENDPOINT_URL_S3": "https://s3.example.com"},
         "https://s3.example.com", False),
    ],
)  # fmt: skip
def test_endpoint_of_s3_follows_region_or_override(bucket, environ, endpoint, by_name):
    config = s3_config(bucket, AdapterContext(clock=FakeClock(), environ=environ))

    assert config["endpoint"] == config["aws_endpoint_url_s3"] == endpoint
    assert config["virtual_hosted_style_request"] is by_name


@pytest.mark.parametrize(
    ("override", "endpoint", "by_name"),
    [
        ("", "https://b-1.cos.ap-guangzhou.myqcloud.com", True),
        ("https://cos.example.com:8443", "https://b-1.cos.example.com:8443", True),
        ("https://10.0.0.1", "https://10.0.0.1", False),
        ("http://[::1]:9", "http://[::1]:9", False),
        ("http://localhost:9", "http://localhost:9", False),
    ],
)
def test_bucket_in_cos_is_part_of_the_host_except_for_addresses(
    override, endpoint, by_name
):
    config = cos_config("b-1", REGION, {"TENCENTCLOUD_ENDPOINT_URL_COS": override})

    assert config["endpoint"] == config["aws_endpoint_url_s3"] == endpoint
    assert config["virtual_hosted_style_request"] is by_name
    assert config["region"] == REGION


# credentials


def test_environment_credentials_of_s3_are_read_at_each_call(in_s3):
    for number in (1, 2):
        key_id, token = f"KEY{number}", f"token{number}"
        in_s3.environ.update(AWS_ACCESS_KEY_ID=key_id, AWS_SESSION_TOKEN=token)

        in_s3.store.digest(KEY)

        sent = in_s3.proxy.calls[-1].headers
        assert sent["x-amz-security-token"] == token
        assert f"Credential={key_id}/" in sent["authorization"]


def test_unusable_credentials_of_s3_fail_without_a_call(in_s3):
    in_s3.environ["AWS_ACCESS_KEY_ID"] = "pasted\n"

    with unavailable("no credentials"):
        in_s3.put()

    assert in_s3.proxy.calls == []


def test_environment_credentials_of_cos_are_read_at_each_call(in_cos, cos):
    in_cos.put()
    cos.renew(RENEWED)
    with unavailable("denied cos:GetObject on a bucket"):
        in_cos.store.digest(KEY)

    in_cos.environ.update(role_environ(in_cos.proxy.url, RENEWED))

    assert in_cos.store.digest(KEY) == sha256(in_cos.read())
    del in_cos.environ["TENCENTCLOUD_SECRETKEY"]
    with unavailable("no credentials"):
        in_cos.store.digest(KEY)


def test_missing_credentials_of_cos_stop_the_start():
    context = tencent_context("http://[::1]:9", TENCENTCLOUD_SECRETID="")

    assert start(COS_BUCKET, context) == "no credentials: bind a role to the function"

"""Evidence in COS: puts, unclear outcomes, credentials, links and start checks."""

import hashlib
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.s3.dialect import NO_BUCKET
from kycourier.adapters.s3.evidence import S3EvidenceStore
from kycourier.adapters.tencent.evidence import _s3_config, open_bucket
from kycourier.core.errors import (
    EvidenceConflictError,
    EvidenceUnavailableError,
    SettingError,
)
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.emulators.tencent.cos import Cos
from support.aws.aws_proxy import (
    AwsProxy,
    AwsResponse,
    Script,
    corrupt_body,
    drop_call,
    drop_response,
    perform_then_respond,
    respond,
)
from support.aws.clients import aws_client
from support.aws.s3_objects import (
    KEY,
    OTHER,
    PHOTO,
    PREFIX,
    UNCLEAR,
    assert_failure,
    put_directly,
    put_object,
    read_object,
    sha256,
)
from support.fakes import FakeClock
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import closed_port
from support.tencent_api_rig import (
    REGION,
    RENEWED,
    ROLE,
    STATE,
    new_bucket,
    open_evidence,
    role_environ,
    tencent_context,
)

pytestmark = [*EMULATOR_MARKS]


@pytest.fixture
def name(cos):
    return new_bucket(cos)


@pytest.fixture
def cos_proxy(cos):
    with closing(AwsProxy(cos.url)) as proxy:
        yield proxy


@pytest.fixture
def store(cos_proxy, name) -> S3EvidenceStore:
    """Return a store on a prefix of the bucket, through a proxy without records."""
    store = open_evidence(cos_proxy.url, f"{name}/{PREFIX}")
    cos_proxy.reset()
    return store


# put


def test_put_takes_a_get_and_a_put(store, cos_proxy, moto, name):
    put_object(store)

    assert [call.name for call in cos_proxy.calls] == ["GET", "PUT"]
    assert read_object(moto, name) == PHOTO


def test_put_sends_no_header_unknown_to_cos(store, cos_proxy):
    put_object(store)

    [sent] = cos_proxy.calls_to("PUT")
    odd = [name for name in sent.headers if "checksum" in name or name.startswith("if")]
    assert odd == []
    assert sent.headers["x-amz-content-sha256"] == sha256(PHOTO)
    assert sent.headers["content-type"] == "image/jpeg"
    assert sent.headers["x-amz-security-token"] == ROLE.token
    signed = {name for name in sent.headers if name.startswith("x-amz-")}
    assert signed == {"x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}


def test_same_bytes_are_read_and_not_put_again(store, cos_proxy):
    put_object(store)
    put_object(store)

    assert [call.name for call in cos_proxy.calls] == ["GET", "PUT", "GET"]


def test_other_bytes_are_a_conflict_without_a_put(store, cos_proxy, moto, name):
    put_directly(moto, name)

    with pytest.raises(EvidenceConflictError) as failure:
        put_object(store)

    assert failure.value.__context__ is None
    assert cos_proxy.calls_to("PUT") == []
    assert read_object(moto, name) == OTHER


# unclear outcomes

UNDONE: dict[str, Script] = {
    "slow down": respond(503),
    "server error": respond(500),
    "bad request": respond(400),
    "a condition failed": respond(412),
    "a response without a tag": respond(200),
    "a tag of other bytes": respond(200, b"", ("ETag", f'"{"0" * 32}"')),
    "a dropped call": drop_call,
}
DONE: dict[str, Script] = {
    "but slow down": perform_then_respond(503),
    "but a dropped response": drop_response,
    "but no tag": perform_then_respond(200),
}


@pytest.mark.parametrize("fault", UNDONE)
def test_unstored_object_is_put_again_once(store, cos_proxy, moto, name, fault):
    cos_proxy.plan("PUT", UNDONE[fault])

    put_object(store)

    assert len(cos_proxy.calls_to("PUT")) == 2
    assert read_object(moto, name) == PHOTO


@pytest.mark.parametrize("fault", UNDONE)
def test_object_unstored_twice_is_a_failure(store, cos_proxy, fault):
    cos_proxy.plan("PUT", UNDONE[fault], UNDONE[fault])

    with pytest.raises(EvidenceUnavailableError) as failure:
        put_object(store)

    assert_failure(failure, UNCLEAR)
    assert store.digest(KEY) is None


@pytest.mark.parametrize("fault", DONE)
def test_stored_object_is_success_without_another_put(
    store, cos_proxy, moto, name, fault
):
    cos_proxy.plan("PUT", DONE[fault])

    put_object(store)

    assert len(cos_proxy.calls_to("PUT")) == 1
    assert read_object(moto, name) == PHOTO


def test_object_is_read_back_when_its_tag_is_no_digest(store, cos_proxy):
    def retagged(call, forward):
        response = forward(call)
        tags = tuple(each for each in response.headers if each[0].lower() != "etag")
        return response._replace(headers=(*tags, ("ETag", '"of-a-key-5"')))

    cos_proxy.plan("PUT", retagged)

    put_object(store)

    assert [call.name for call in cos_proxy.calls] == ["GET", "PUT", "GET"]


def test_corrupted_bytes_are_rejected_by_the_signature(store, cos_proxy):
    cos_proxy.plan("PUT", corrupt_body)

    with pytest.raises(EvidenceUnavailableError):
        put_object(store)

    assert store.digest(KEY) is None


def test_other_bytes_stored_by_our_put_are_a_conflict(store, cos_proxy, moto, name):
    tag = hashlib.md5(OTHER, usedforsecurity=False).hexdigest()

    def damaged(*_):
        put_directly(moto, name)
        return AwsResponse(200, b"", (("ETag", f'"{tag}"'),))

    cos_proxy.plan("PUT", damaged)

    with pytest.raises(EvidenceConflictError):
        put_object(store)

    assert len(cos_proxy.calls_to("PUT")) == 1


def test_unverifiable_put_is_not_repeated(store, cos_proxy):
    cos_proxy.plan("PUT", drop_call)
    cos_proxy.plan("GET", cos_proxy.default_script, respond(503), respond(503))

    with pytest.raises(EvidenceUnavailableError) as failure:
        put_object(store)

    assert_failure(failure, UNCLEAR)
    assert len(cos_proxy.calls_to("PUT")) == 1


def test_failed_lookup_prevents_the_put(store, cos_proxy):
    cos_proxy.plan("GET", respond(503), drop_call)

    with pytest.raises(EvidenceUnavailableError):
        put_object(store)

    assert cos_proxy.calls_to("PUT") == []


def test_stored_object_without_a_response_is_success(cos_proxy, moto, name):
    store = open_evidence(cos_proxy.url, f"{name}/{PREFIX}", left=2.9)
    cos_proxy.plan("PUT", cos_proxy.hang)

    put_object(store)

    assert len(cos_proxy.calls_to("PUT")) == 1
    assert read_object(moto, name) == PHOTO


def test_listing_that_repeats_its_page_is_a_failure(store, moto, name):
    """COS does not document the second version of S3's listing."""
    for number in range(1001):
        key = f"{PREFIX}/a/{number:04}.jpg"
        aws_client("s3", moto).put_object(Bucket=name, Key=key)

    with pytest.raises(EvidenceUnavailableError) as failure:
        list(store.list("a"))

    assert_failure(failure, "a listing does not go on after a page")


# credentials and links


def test_credentials_are_read_at_each_call(cos, name):
    environ = role_environ(cos.url)
    context = AdapterContext(clock=FakeClock(), environ=environ)
    store = open_bucket(ResourceUrl("cos", f"{name}?region={REGION}"), context)
    put_object(store)
    cos.renew(RENEWED)

    with pytest.raises(EvidenceUnavailableError) as failure:
        store.digest(KEY)
    assert_failure(failure, "denied cos:GetObject on a bucket")
    environ |= role_environ(cos.url, RENEWED)

    assert store.digest(KEY) == sha256(PHOTO)
    del environ["TENCENTCLOUD_SECRETKEY"]
    with pytest.raises(EvidenceUnavailableError) as failure:
        store.digest(KEY)
    assert_failure(failure, "no credentials")


def test_link_downloads_the_object_and_expires(moto, name, cos):
    store = open_evidence(cos.url, f"{name}/{PREFIX}")
    put_object(store)

    link = store.link(KEY, seconds=90)

    query = parse_qs(urlsplit(link).query)
    assert query["X-Amz-Expires"] == ["90"]
    assert query["X-Amz-Security-Token"] == [ROLE.token]
    assert requests.get(link, timeout=5).content == PHOTO
    forged = requests.get(
        link.replace("X-Amz-Expires=90", "X-Amz-Expires=91"), timeout=5
    )
    assert forged.status_code == 403
    with closing(Cos(moto, [ROLE], now=lambda: 4e9)) as later:
        expired = urlsplit(link)._replace(netloc=urlsplit(later.url).netloc)
        assert requests.get(expired.geturl(), timeout=5).status_code == 403


@pytest.mark.parametrize(
    ("permission", "use"),
    [
        ("cos:PutObject", put_object),
        ("cos:GetObject", lambda store: store.digest(KEY)),
    ],
)
def test_denied_permission_has_its_cos_name(cos, name, permission, use):
    store = open_evidence(cos.url, name)
    cos.renew(ROLE._replace(denied=frozenset({permission})))

    with pytest.raises(EvidenceUnavailableError) as failure:
        use(store)

    assert_failure(failure, f"denied {permission} on a bucket")


# start checks


def start(url: str, where: str, **environ: str) -> str:
    with pytest.raises(SettingError) as failure:
        registry.open_evidence(
            ResourceUrl("cos", where), tencent_context(url, **environ), state=STATE
        )
    assert failure.value.variable == "KYCOURIER_EVIDENCE"
    assert failure.value.__context__ is None
    assert where not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


FORM = "must be cos://bucket-appid/prefix?region=…"


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("evidence/prefix?region=ap-guangzhou", FORM),
        ("evidence-x1?region=ap-guangzhou", FORM),
        ("Evidence-1250000000?region=ap-guangzhou", FORM),
        ("evi.dence-1250000000?region=ap-guangzhou", FORM),
        ("-1250000000?region=ap-guangzhou", FORM),
        ("evidence-1250000000/a//b?region=ap-guangzhou", f"{FORM}, with plain names"),
        ("evidence-1250000000/照片?region=ap-guangzhou", f"{FORM}, with plain names"),
        ("evidence-1250000000/../a?region=ap-guangzhou", f"{FORM}, with plain names"),
        ("evidence-1250000000/prefix", "has no region: append ?region=ap-…"),
        ("evidence-1250000000?region=x", "has an invalid region: use one"),
        ("evidence-1250000000?region=ap-guangzhou&acl=x", "takes the parameters"),
        ("evidence-1250000999?region=ap-guangzhou", "no such bucket in this region"),
    ],
)
def test_malformed_bucket_prefix_or_region_stops_the_start(cos, where, why):
    assert start(cos.url, where).startswith(why)


@pytest.mark.parametrize(
    ("denied", "why"),
    [
        ({"cos:GetBucket", "cos:HeadObject"}, "denied cos:GetBucket on a bucket"),
        ({"cos:GetBucket"}, f"{NO_BUCKET}, or denied cos:GetBucket on it"),
    ],
)
def test_denied_listing_stops_the_start(cos, name, denied, why):
    cos.renew(ROLE._replace(denied=frozenset(denied)))

    assert start(cos.url, f"{name}?region={REGION}") == why


def test_missing_credentials_stop_the_start(cos, name):
    why = start(cos.url, f"{name}?region={REGION}", TENCENTCLOUD_SECRETID="")

    assert why == "no credentials: bind a role to the function"


def test_unreachable_endpoint_stops_the_start(name):
    why = start(f"http://127.0.0.1:{closed_port()}", f"{name}?region={REGION}")

    assert why == "unreachable, or in another region"


def test_plain_http_endpoint_stops_the_start(name):
    why = start("", f"{name}?region={REGION}", TENCENTCLOUD_ENDPOINT_URL_COS="http://h")

    assert why == "TENCENTCLOUD_ENDPOINT_URL_COS: must be https except on loopback"


@pytest.mark.parametrize(
    ("override", "endpoint", "by_name"),
    [
        ("", "https://b-1.cos.ap-guangzhou.myqcloud.com", True),
        ("https://cos.example.com:8443", "https://b-1.cos.example.com:8443", True),
        ("https://10.0.0.1", "https://10.0.0.1", False),
        ("http://127.0.0.1:9", "http://127.0.0.1:9", False),
        ("http://[::1]:9", "http://[::1]:9", False),
        ("http://localhost:9", "http://localhost:9", False),
    ],
)
def test_bucket_is_part_of_the_host_except_for_addresses(override, endpoint, by_name):
    config = _s3_config("b-1", REGION, {"TENCENTCLOUD_ENDPOINT_URL_COS": override})

    assert config["endpoint"] == config["aws_endpoint_url_s3"] == endpoint
    assert config["virtual_hosted_style_request"] is by_name
    assert config["region"] == REGION

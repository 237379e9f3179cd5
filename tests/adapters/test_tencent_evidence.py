"""What only the evidence in COS has: how it is put, by whom, and what is in doubt."""

import hashlib
from contextlib import closing
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from aws.access import client
from aws.bucket import KEY, OTHER, PHOTO, PREFIX, UNCLEAR, assert_told, put, sha256
from aws.proxy import (
    Answer,
    AwsProxy,
    Play,
    answering,
    cut,
    done_then,
    done_then_cut,
    flipping_a_bit,
)
from fakes import FakeClock
from hostile import refusing_port
from kycourier.adapters import places
from kycourier.adapters.object_store import NO_BUCKET, ObjectEvidenceStore
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.tencent.evidence import _locate, open_bucket
from kycourier.core.errors import EvidenceConflict, EvidenceUnavailable, SettingError
from kycourier.setting_forms import Place
from kycourier_devkit.stand_ins.tencent.cos import Cos
from stand_ins import IN_CLOUD
from tencent.account import (
    REGION,
    RENEWED,
    ROLE,
    STATE,
    around,
    new_bucket,
    open_evidence,
    role_environ,
)

pytestmark = [*IN_CLOUD]


@pytest.fixture
def name(cos):
    return new_bucket(cos)


@pytest.fixture
def cos_proxy(cos):
    with closing(AwsProxy(cos.url)) as proxy:
        yield proxy


@pytest.fixture
def kept(cos_proxy, name) -> ObjectEvidenceStore:
    """Open a prefix of the bucket, through the proxy, with nothing noted."""
    store = open_evidence(cos_proxy.url, f"{name}/{PREFIX}")
    cos_proxy.forget()
    return store


def put_there(moto: str, name: str, content: bytes = OTHER) -> None:
    client("s3", moto).put_object(Bucket=name, Key=f"{PREFIX}/{KEY}", Body=content)


def there(moto: str, name: str) -> bytes:
    found = client("s3", moto).get_object(Bucket=name, Key=f"{PREFIX}/{KEY}")
    return found["Body"].read()


# what an object is put with


def test_an_object_is_looked_for_and_put_in_two_calls(kept, cos_proxy, moto, name):
    put(kept)

    assert [call.name for call in cos_proxy.calls] == ["GET", "PUT"]
    assert there(moto, name) == PHOTO


def test_a_put_has_no_condition_and_no_checksum_that_cos_does_not_know(kept, cos_proxy):
    put(kept)

    [sent] = cos_proxy.named("PUT")
    odd = [name for name in sent.headers if "checksum" in name or name.startswith("if")]
    assert odd == []
    assert sent.headers["x-amz-content-sha256"] == sha256(PHOTO)
    assert sent.headers["content-type"] == "image/jpeg"
    assert sent.headers["x-amz-security-token"] == ROLE.token
    signed = {name for name in sent.headers if name.startswith("x-amz-")}
    assert signed == {"x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}


def test_the_same_bytes_again_are_read_and_not_put(kept, cos_proxy):
    put(kept)
    put(kept)

    assert [call.name for call in cos_proxy.calls] == ["GET", "PUT", "GET"]


def test_other_bytes_are_a_conflict_and_nothing_is_put(kept, cos_proxy, moto, name):
    put_there(moto, name)

    with pytest.raises(EvidenceConflict) as failure:
        put(kept)

    assert failure.value.__context__ is None
    assert cos_proxy.named("PUT") == []
    assert there(moto, name) == OTHER


# what is in doubt

UNDONE: dict[str, Play] = {
    "slow down": answering(503),
    "server error": answering(500),
    "bad request": answering(400),
    "a condition failed": answering(412),
    "an answer without a tag": answering(200),
    "a tag of other bytes": answering(200, b"", ("ETag", f'"{"0" * 32}"')),
    "cut": cut,
}
DONE: dict[str, Play] = {
    "but slow down": done_then(503),
    "but cut": done_then_cut,
    "but no tag": done_then(200),
}


@pytest.mark.parametrize("fault", UNDONE)
def test_an_object_that_did_not_arrive_is_put_again_once(
    kept, cos_proxy, moto, name, fault
):
    cos_proxy.plan("PUT", UNDONE[fault])

    put(kept)

    assert len(cos_proxy.named("PUT")) == 2
    assert there(moto, name) == PHOTO


@pytest.mark.parametrize("fault", UNDONE)
def test_an_object_that_did_not_arrive_twice_is_a_failure(kept, cos_proxy, fault):
    cos_proxy.plan("PUT", UNDONE[fault], UNDONE[fault])

    with pytest.raises(EvidenceUnavailable) as failure:
        put(kept)

    assert_told(failure, UNCLEAR)
    assert kept.digest(KEY) is None


@pytest.mark.parametrize("fault", DONE)
def test_an_object_that_did_arrive_is_success_and_not_put_again(
    kept, cos_proxy, moto, name, fault
):
    cos_proxy.plan("PUT", DONE[fault])

    put(kept)

    assert len(cos_proxy.named("PUT")) == 1
    assert there(moto, name) == PHOTO


def test_an_encrypted_bucket_whose_tags_are_no_digests_is_read_back(kept, cos_proxy):
    def retagged(call, forward):
        answer = forward(call)
        tags = tuple(each for each in answer.headers if each[0].lower() != "etag")
        return answer._replace(headers=(*tags, ("ETag", '"of-a-key-5"')))

    cos_proxy.plan("PUT", retagged)

    put(kept)

    assert [call.name for call in cos_proxy.calls] == ["GET", "PUT", "GET"]


def test_bytes_that_are_damaged_on_the_way_are_refused_by_their_signature(
    kept, cos_proxy
):
    cos_proxy.plan("PUT", flipping_a_bit)

    with pytest.raises(EvidenceUnavailable):
        put(kept)

    assert kept.digest(KEY) is None


def test_other_bytes_that_were_stored_as_ours_are_a_conflict(
    kept, cos_proxy, moto, name
):
    tag = hashlib.md5(OTHER, usedforsecurity=False).hexdigest()

    def damaged(*_):
        put_there(moto, name)
        return Answer(200, b"", (("ETag", f'"{tag}"'),))

    cos_proxy.plan("PUT", damaged)

    with pytest.raises(EvidenceConflict):
        put(kept)

    assert len(cos_proxy.named("PUT")) == 1


def test_doubt_that_cannot_be_settled_puts_nothing_again(kept, cos_proxy):
    cos_proxy.plan("PUT", cut)
    cos_proxy.plan("GET", cos_proxy.otherwise, answering(503), answering(503))

    with pytest.raises(EvidenceUnavailable) as failure:
        put(kept)

    assert_told(failure, UNCLEAR)
    assert len(cos_proxy.named("PUT")) == 1


def test_what_cannot_be_looked_for_is_not_put(kept, cos_proxy):
    cos_proxy.plan("GET", answering(503), cut)

    with pytest.raises(EvidenceUnavailable):
        put(kept)

    assert cos_proxy.named("PUT") == []


def test_an_object_that_arrived_while_the_answer_did_not_is_success(
    cos_proxy, moto, name
):
    store = open_evidence(cos_proxy.url, f"{name}/{PREFIX}", left=2.9)
    cos_proxy.plan("PUT", cos_proxy.hang)

    put(store)

    assert len(cos_proxy.named("PUT")) == 1
    assert there(moto, name) == PHOTO


def test_a_listing_that_does_not_go_on_after_a_page_is_a_failure(kept, moto, name):
    """COS's pages do not say that it knows the second version of S3's listing."""
    for number in range(1001):
        key = f"{PREFIX}/a/{number:04}.jpg"
        client("s3", moto).put_object(Bucket=name, Key=key)

    with pytest.raises(EvidenceUnavailable) as failure:
        list(kept.list("a"))

    assert_told(failure, "a listing does not go on after a page")


# whose it is


def test_credentials_are_those_of_the_moment(cos, name):
    environ = role_environ(cos.url)
    surroundings = Surroundings(clock=FakeClock(), environ=environ)
    store = open_bucket(Place("cos", f"{name}?region={REGION}"), surroundings)
    put(store)
    cos.renew(RENEWED)

    with pytest.raises(EvidenceUnavailable) as failure:
        store.digest(KEY)
    assert_told(failure, "denied cos:GetObject on a bucket")
    environ |= role_environ(cos.url, RENEWED)

    assert store.digest(KEY) == sha256(PHOTO)
    del environ["TENCENTCLOUD_SECRETKEY"]
    with pytest.raises(EvidenceUnavailable) as failure:
        store.digest(KEY)
    assert_told(failure, "no credentials")


def test_a_link_downloads_the_object_and_ends(moto, name, cos):
    store = open_evidence(cos.url, f"{name}/{PREFIX}")
    put(store)

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
        there = urlsplit(link)._replace(netloc=urlsplit(later.url).netloc)
        assert requests.get(there.geturl(), timeout=5).status_code == 403


@pytest.mark.parametrize(
    ("permission", "use"),
    [
        ("cos:PutObject", put),
        ("cos:GetObject", lambda store: store.digest(KEY)),
    ],
)
def test_a_denied_permission_is_named_as_cos_names_it(cos, name, permission, use):
    store = open_evidence(cos.url, name)
    cos.renew(ROLE._replace(denied=frozenset({permission})))

    with pytest.raises(EvidenceUnavailable) as failure:
        use(store)

    assert_told(failure, f"denied {permission} on a bucket")


# what stops the start


def start(url: str, where: str, **environ: str) -> str:
    with pytest.raises(SettingError) as failure:
        places.open_evidence(Place("cos", where), around(url, **environ), state=STATE)
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
        ("evidence-1250000000/a//b?region=ap-guangzhou", f"{FORM}, of plain names"),
        ("evidence-1250000000/照片?region=ap-guangzhou", f"{FORM}, of plain names"),
        ("evidence-1250000000/../a?region=ap-guangzhou", f"{FORM}, of plain names"),
        ("evidence-1250000000/prefix", "names no region: end it in ?region=ap-…"),
        ("evidence-1250000000?region=x", "names a region that is none: they look"),
        ("evidence-1250000000?region=ap-guangzhou&acl=x", "takes the parameters"),
        ("evidence-1250000999?region=ap-guangzhou", "no such bucket in this region"),
    ],
)
def test_a_wrong_place_stops_the_start(cos, where, why):
    assert start(cos.url, where).startswith(why)


@pytest.mark.parametrize(
    ("denied", "why"),
    [
        ({"cos:GetBucket", "cos:HeadObject"}, "denied cos:GetBucket on a bucket"),
        ({"cos:GetBucket"}, f"{NO_BUCKET}, or denied cos:GetBucket on it"),
    ],
)
def test_a_denied_listing_stops_the_start(cos, name, denied, why):
    cos.renew(ROLE._replace(denied=frozenset(denied)))

    assert start(cos.url, f"{name}?region={REGION}") == why


def test_no_credentials_stop_the_start(cos, name):
    why = start(cos.url, f"{name}?region={REGION}", TENCENTCLOUD_SECRETID="")

    assert why == "no credentials: bind a role to the function"


def test_nobody_there_stops_the_start(name):
    why = start(f"http://127.0.0.1:{refusing_port()}", f"{name}?region={REGION}")

    assert why == "unreachable, or in another region"


def test_a_wrong_endpoint_stops_the_start(name):
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
def test_the_bucket_is_a_part_of_the_hosts_name_but_for_addresses(
    override, endpoint, by_name
):
    config = _locate("b-1", REGION, {"TENCENTCLOUD_ENDPOINT_URL_COS": override})

    assert config["endpoint"] == config["aws_endpoint_url_s3"] == endpoint
    assert config["virtual_hosted_style_request"] is by_name
    assert config["region"] == REGION


def test_the_manifests_uri_is_the_setting_without_its_region(cos, name):
    where = f"{name}/{PREFIX}/?region={REGION}"
    open_evidence(cos.url, f"{name}/{PREFIX}/")

    assert Place("cos", where).base_uri == f"cos://{name}/{PREFIX}/".rstrip("/")

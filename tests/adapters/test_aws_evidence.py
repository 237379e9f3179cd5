"""What only the evidence in S3 has: doubt, faults, credentials and where it lies."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from aws_edges import client, new_bucket, new_name, open_evidence, surroundings
from aws_proxy import (
    AwsProxy,
    Play,
    answering,
    cut,
    done_then,
    done_then_cut,
    flipping_a_bit,
)
from hostile import HostileServer, Peer, refusing_port, reply
from kycourier.adapters import places
from kycourier.adapters.aws.evidence import _locate, open_bucket
from kycourier.adapters.object_store import ObjectEvidenceStore
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import (
    EvidenceConflict,
    EvidenceUnavailable,
    SettingError,
)
from kycourier.setting_forms import Place
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]
KEY = "SANDBOX1/2026/01/01/f00d/original-0123456789abcdef.jpg"
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 9
OTHER = b"other bytes"
UNCLEAR = "no clear answer"


@pytest.fixture
def bucket(moto: str) -> str:
    return new_bucket(moto)


@pytest.fixture
def store(proxy: AwsProxy, bucket: str) -> ObjectEvidenceStore:
    return open_evidence(proxy.url, f"{bucket}/some/prefix")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(store: ObjectEvidenceStore, key: str = KEY, content: bytes = PHOTO) -> None:
    store.put(key, content, sha256=sha256(content), media_type="image/jpeg")


def put_as_another(moto: str, bucket: str, content: bytes = OTHER) -> None:
    client("s3", moto).put_object(Bucket=bucket, Key=f"some/prefix/{KEY}", Body=content)


def read(moto: str, bucket: str) -> bytes:
    found = client("s3", moto).get_object(Bucket=bucket, Key=f"some/prefix/{KEY}")
    return found["Body"].read()


def assert_told(failure: pytest.ExceptionInfo[EvidenceUnavailable], reason: str):
    assert failure.value.reason == reason
    assert failure.value.__context__ is None
    assert failure.value.__cause__ is None


# what an object is put with


def test_put_says_that_it_creates_and_what_the_bytes_are(store, proxy, moto, bucket):
    put(store)

    (sent,) = proxy.named("PUT")
    digest = base64.b64encode(hashlib.sha256(PHOTO).digest()).decode()
    assert sent.headers["if-none-match"] == "*"
    assert sent.headers["x-amz-checksum-sha256"] == digest
    assert sent.headers["x-amz-content-sha256"] == sha256(PHOTO)
    assert sent.headers["content-type"] == "image/jpeg"
    signed = sent.headers["authorization"]
    assert "if-none-match" in signed
    assert "x-amz-checksum-sha256" in signed
    assert read(moto, bucket) == PHOTO


def test_the_buckets_own_default_encrypts_the_object(store, proxy, moto, bucket):
    s3 = client("s3", moto)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/evidence"}
    rule = {"ApplyServerSideEncryptionByDefault": default}
    s3.put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )

    put(store)

    found = s3.head_object(Bucket=bucket, Key=f"some/prefix/{KEY}")
    assert found["ServerSideEncryption"] == "aws:kms"
    assert found["SSEKMSKeyId"] == "alias/evidence"
    headers = proxy.named("PUT")[0].headers
    assert [name for name in headers if "encryption" in name or "acl" in name] == []


def test_sixteen_megabytes_are_stored_in_one_piece(store, proxy):
    content = hashlib.sha256(b"seed").digest() * (16 * 1024 * 1024 // 32)

    put(store, KEY, content)

    assert len(proxy.named("PUT")) == 1
    assert store.digest(KEY) == sha256(content)
    with store.open(KEY) as file:
        assert file.read() == content


def test_prefix_may_be_missing_or_end_in_a_slash(proxy, moto, bucket):
    put(open_evidence(proxy.url, bucket))
    put(open_evidence(proxy.url, f"{bucket}/kyc/"))

    listed = client("s3", moto).list_objects_v2(Bucket=bucket)["Contents"]
    assert [found["Key"] for found in listed] == [KEY, f"kyc/{KEY}"]


# doubt

UNDONE: dict[str, Play] = {
    "another writes just now": answering(409),
    "a condition failed": answering(412),
    "slow down": answering(503),
    "server error": answering(500),
    "bad request": answering(400),
    "redirect": answering(307, b"", ("Location", "http://127.0.0.1:9/")),
    "an answer without a tag": answering(200),
    "cut": cut,
    "a bit flipped on the way": flipping_a_bit,
}
DONE: dict[str, Play] = {
    "but another writes just now": done_then(409),
    "but a condition failed": done_then(412),
    "but slow down": done_then(503),
    "but cut": done_then_cut,
}


@pytest.mark.parametrize("fault", UNDONE)
def test_object_that_did_not_arrive_is_put_again_once(
    store, proxy, moto, bucket, fault
):
    proxy.plan("PUT", UNDONE[fault])

    put(store)

    assert len(proxy.named("PUT")) == 2
    assert read(moto, bucket) == PHOTO


@pytest.mark.parametrize("fault", UNDONE)
def test_object_that_did_not_arrive_twice_is_a_failure(store, proxy, fault):
    proxy.plan("PUT", UNDONE[fault], UNDONE[fault])

    with pytest.raises(EvidenceUnavailable) as failure:
        put(store)

    assert_told(failure, UNCLEAR)
    assert len(proxy.named("PUT")) == 2
    assert store.digest(KEY) is None


@pytest.mark.parametrize("fault", DONE)
def test_object_that_did_arrive_is_success_and_not_put_again(
    store, proxy, moto, bucket, fault
):
    proxy.plan("PUT", DONE[fault])

    put(store)

    assert len(proxy.named("PUT")) == 1
    assert read(moto, bucket) == PHOTO


def test_object_that_arrived_while_the_answer_did_not_is_success(proxy, moto, bucket):
    store = open_evidence(proxy.url, f"{bucket}/some/prefix", left=2.9)
    proxy.plan("PUT", proxy.hang)

    put(store)

    assert len(proxy.named("PUT")) == 1
    assert read(moto, bucket) == PHOTO


@pytest.mark.parametrize("fault", UNDONE)
def test_other_bytes_found_in_doubt_are_a_conflict_and_stand(
    store, proxy, moto, bucket, fault
):
    put_as_another(moto, bucket)
    proxy.plan("PUT", UNDONE[fault])

    with pytest.raises(EvidenceConflict) as failure:
        put(store)

    assert failure.value.__context__ is None
    assert len(proxy.named("PUT")) == 1
    assert read(moto, bucket) == OTHER


def test_other_bytes_that_come_between_two_puts_are_a_conflict(
    store, proxy, moto, bucket
):
    def lose_the_race(call, forward):
        put_as_another(moto, bucket)
        return forward(call)

    proxy.plan("PUT", cut, lose_the_race)

    with pytest.raises(EvidenceConflict):
        put(store)

    assert read(moto, bucket) == OTHER


def test_doubt_that_cannot_be_settled_puts_nothing_again(store, proxy):
    proxy.plan("PUT", cut)
    proxy.plan("GET", answering(503), answering(503))

    with pytest.raises(EvidenceUnavailable) as failure:
        put(store)

    assert_told(failure, UNCLEAR)
    assert len(proxy.named("PUT")) == 1


def test_bytes_damaged_before_they_are_put_are_not_put(store, proxy):
    with pytest.raises(EvidenceUnavailable) as failure:
        store.put(KEY, PHOTO, sha256=sha256(OTHER), media_type="image/jpeg")

    assert_told(failure, "damaged on the way")
    assert proxy.named("PUT") == []


# reading


def test_reading_is_tried_once_more(store, proxy):
    put(store)
    proxy.plan("GET", cut)
    assert store.digest(KEY) == sha256(PHOTO)
    proxy.plan("GET", answering(503))
    assert store.open(KEY).read() == PHOTO
    proxy.plan("GET", answering(500))
    assert list(store.list("SANDBOX1")) == [KEY]


def test_reading_that_fails_twice_is_a_failure_and_not_absence(store, proxy):
    put(store)
    for use in (
        lambda: store.digest(KEY),
        lambda: store.open(KEY),
        lambda: list(store.list("SANDBOX1")),
    ):
        proxy.plan("GET", answering(503), cut)
        with pytest.raises(EvidenceUnavailable) as failure:
            use()
        assert_told(failure, UNCLEAR)


def test_object_that_ends_early_is_never_a_short_one(bucket):
    head = reply(
        PHOTO[:100], 'ETag: "a"', "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"
    )
    cut_short = head.replace(b"Content-Length: 100", b"Content-Length: 2307")

    def play(peer: Peer) -> None:
        asked = peer.hear()
        peer.send(reply(b"<ListBucketResult/>") if b"list-type" in asked else cut_short)
        peer.end()

    with closing(HostileServer(play)) as server:
        store = open_evidence(server.url, bucket)
        for use in (store.digest, store.open):
            with pytest.raises(EvidenceUnavailable) as failure:
                use(KEY)
            assert_told(failure, UNCLEAR)


def test_more_than_a_page_of_keys_is_listed_whole(store, moto, bucket):
    s3 = client("s3", moto)
    keys = [f"a/b/{number:04}.jpg" for number in range(1000)]
    for key in [*keys, "a/c/0.jpg", "a/ba/0.jpg"]:
        s3.put_object(Bucket=bucket, Key=f"some/prefix/{key}")

    assert list(store.list("a/b")) == keys
    assert sorted(store.list("a")) == sorted([*keys, "a/c/0.jpg", "a/ba/0.jpg"])
    assert list(store.list("a/b"))[-1] == keys[-1]


def test_what_others_left_is_listed_as_it_is(store, moto, bucket):
    s3 = client("s3", moto)
    others = ["a/由他人.txt", "a/a blank", "a/%20", "a/x+y&<z>"]
    for key in [*others, "a/"]:  # a console makes folders, which are no objects here
        s3.put_object(Bucket=bucket, Key=f"some/prefix/{key}")

    assert sorted(store.list("a")) == sorted(others)


def test_listing_a_key_that_is_no_path_is_a_failure(store, moto, bucket):
    client("s3", moto).put_object(Bucket=bucket, Key="some/prefix/a//b")

    with pytest.raises(EvidenceUnavailable) as failure:
        list(store.list("a"))

    assert_told(failure, "a key is no path")


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a\n", "照片.jpg"])
def test_key_that_is_no_plain_path_is_refused_and_nothing_sent(store, proxy, key):
    before = len(proxy.calls)
    uses: list[Callable[[], object]] = [
        lambda: put(store, key),
        lambda: store.digest(key),
        lambda: store.open(key),
        lambda: store.list(key),
        lambda: store.link(key, seconds=60),
    ]
    for use in uses:
        with pytest.raises(EvidenceUnavailable) as failure:
            use()
        assert_told(failure, "unusable key")
    assert len(proxy.calls) == before


def test_link_downloads_the_object_and_says_when_it_ends(store):
    put(store)

    link = store.link(KEY, seconds=90)

    query = parse_qs(urlsplit(link).query)
    assert query["X-Amz-Expires"] == ["90"]
    begun = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z")
    assert abs(datetime.now(timezone.utc) - begun) < timedelta(seconds=60)  # noqa: TID251 - S3's clock
    assert requests.get(link, timeout=5).content == PHOTO


def test_nothing_is_begun_that_the_invocation_cannot_wait_for(proxy, bucket):
    left = [60.0]
    around = Surroundings(
        clock=surroundings(proxy.url).clock,
        environ=surroundings(proxy.url).environ,
        seconds_left=lambda: left[0],
    )
    store = open_bucket(Place("s3", bucket), around)
    before = len(proxy.calls)
    left[0] = 1.9

    with pytest.raises(EvidenceUnavailable) as failure:
        put(store)

    assert_told(failure, "no time left")
    assert len(proxy.calls) == before


# denied, and in the wrong place


def test_denied_permission_is_named_and_nothing_is_tried_again(store, proxy, bucket):
    denied = answering(403, b"<Error><Code>AccessDenied</Code></Error>")
    uses: dict[str, tuple[str, Callable[[], object]]] = {
        "PutObject": ("PUT", lambda: put(store)),
        "GetObject": ("GET", lambda: store.digest(KEY)),
    }
    for action, (method, use) in uses.items():
        before = len(proxy.calls)
        proxy.plan(method, denied)
        with pytest.raises(EvidenceUnavailable) as failure:
            use()
        assert_told(failure, f"denied s3:{action} on a bucket")
        assert len(proxy.calls) == before + 1
        assert bucket not in str(failure.value)


def test_bucket_that_has_gone_is_named_as_missing(store, moto, bucket):
    client("s3", moto).delete_bucket(Bucket=bucket)

    with pytest.raises(EvidenceUnavailable) as failure:
        put(store)

    assert_told(failure, "no such bucket in this region")


def start(url: str, where: str, **environ: str) -> str:
    """Give why a store cannot be opened, as the setting says it."""
    around = surroundings(url, **environ)
    with pytest.raises(SettingError) as failure:
        places.open_evidence(Place("s3", where), around, state=Place("dynamodb", "t"))
    assert failure.value.variable == "KYCOURIER_EVIDENCE"
    assert failure.value.__context__ is None
    assert where not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")


def test_missing_bucket_stops_the_start(moto):
    assert start(moto, new_name("bucket")) == "no such bucket in this region"


def test_denied_listing_stops_the_start(proxy, bucket):
    proxy.plan("GET", answering(403), answering(403))
    proxy.plan("HEAD", answering(403))

    assert start(proxy.url, bucket) == "denied s3:ListBucket on a bucket"


@pytest.mark.parametrize("status", [301, 400, 503])
def test_bucket_of_another_region_stops_the_start(proxy, bucket, status):
    proxy.plan("GET", answering(status), answering(status))
    proxy.plan("HEAD", answering(status), answering(status))

    assert start(proxy.url, bucket) == "unreachable, or in another region"


def test_nobody_there_stops_the_start(bucket):
    reason = start(f"http://127.0.0.1:{refusing_port()}", bucket)

    assert reason == "unreachable, or in another region"


def test_region_must_be_set(moto, bucket):
    reason = start(moto, bucket, AWS_REGION="", AWS_DEFAULT_REGION="")

    assert reason == "AWS_REGION is not set"


def test_endpoint_without_tls_is_refused_but_on_loopback(moto, bucket):
    elsewhere = "http://s3.example.com"

    reason = start(moto, bucket, AWS_ENDPOINT_URL_S3=elsewhere)

    assert reason == "its endpoint must be https except on loopback"


@pytest.mark.parametrize(
    "where",
    ["B/x", "ab", "bucket//x", "bucket/a b", "bucket/../x", "bucket/x?region=y"],
)
def test_setting_that_names_no_plain_place_is_refused(moto, where):
    assert start(moto, where) == "must be s3://bucket/prefix, of plain names"


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
def test_bucket_is_looked_for_where_its_region_or_endpoint_says(
    bucket, environ, endpoint, by_name
):
    config = _locate(bucket, environ)

    assert config["endpoint"] == config["aws_endpoint_url_s3"] == endpoint
    assert config["virtual_hosted_style_request"] is by_name


# credentials


def test_credentials_of_the_environment_are_those_of_the_moment(proxy, bucket):
    around = surroundings(proxy.url)
    environ = {**around.environ, "AWS_SESSION_TOKEN": "first"}
    store = open_bucket(
        Place("s3", bucket), Surroundings(clock=around.clock, environ=environ)
    )
    environ |= {"AWS_ACCESS_KEY_ID": "later", "AWS_SESSION_TOKEN": "second"}

    put(store)

    opened, sent = proxy.calls[0], proxy.calls[-1]
    assert opened.headers["x-amz-security-token"] == "first"
    assert sent.headers["x-amz-security-token"] == "second"
    assert "Credential=later/" in sent.headers["authorization"]


class Role:
    """Gives credentials as a container's agent does, each time others."""

    def __init__(self) -> None:
        self.given = 0
        self.minutes = 5.0
        self.is_broken = False

    def play(self, peer: Peer) -> None:
        while True:
            peer.hear()
            if self.is_broken:
                peer.send(reply(b"{}"))
                continue
            self.given += 1
            ends_at = datetime.now(timezone.utc) + timedelta(minutes=self.minutes)  # noqa: TID251 - the agent's clock
            given = {
                "AccessKeyId": f"KEY{self.given}",
                "SecretAccessKey": "synthetic",
                "Token": f"token{self.given}",
                "Expiration": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            peer.send(reply(json.dumps(given).encode()))


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Role]:
    """Let the machine have a role, and no other credentials."""
    role = Role()
    with closing(HostileServer(role.play)) as agent:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{agent.url}/role")
        for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
            monkeypatch.setenv(name, str(tmp_path / "none"))
        yield role


def without_keys(url: str) -> dict[str, str]:
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return {name: text for name, text in surroundings(url).environ.items()
            if name not in keys}  # fmt: skip


def test_credentials_of_a_role_are_renewed_before_they_end(proxy, bucket, role):
    around = Surroundings(
        clock=surroundings(proxy.url).clock, environ=without_keys(proxy.url)
    )
    store = open_bucket(Place("s3", bucket), around)  # they end in five minutes

    role.minutes = 60
    put(store)
    given = role.given
    store.digest(KEY)

    opened, sent, last = proxy.calls[0], proxy.named("PUT")[0], proxy.calls[-1]
    assert opened.headers["x-amz-security-token"] != f"token{given}"
    assert sent.headers["x-amz-security-token"] == f"token{given}"
    assert f"Credential=KEY{given}/" in sent.headers["authorization"]
    assert role.given == given  # good for an hour: nobody asks again
    assert last.headers["x-amz-security-token"] == f"token{given}"


def test_credentials_that_cannot_be_had_are_a_failure_without_a_call(
    proxy, bucket, role
):
    around = Surroundings(
        clock=surroundings(proxy.url).clock, environ=without_keys(proxy.url)
    )
    store = open_bucket(Place("s3", bucket), around)
    before = len(proxy.calls)
    role.is_broken = True

    with pytest.raises(EvidenceUnavailable) as failure:
        put(store)

    assert_told(failure, "no credentials")
    assert len(proxy.calls) == before

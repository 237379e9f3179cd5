"""What only the evidence in S3 has: how it is put, read, listed and linked."""

import base64
import hashlib
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from aws.access import client, surroundings
from aws.bucket import KEY, PHOTO, UNCLEAR, assert_told, put, read, sha256
from aws.edges import open_evidence
from aws.proxy import answering, cut
from hostile import HostileServer, Peer, reply
from kycourier.adapters.aws.evidence import open_bucket
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import EvidenceUnavailable
from kycourier.setting_forms import Place
from stand_ins import IN_CLOUD

pytestmark = [*IN_CLOUD]

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

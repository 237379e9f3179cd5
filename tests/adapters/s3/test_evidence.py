"""Evidence in S3 and COS: put headers, retried reads, listings, links and denials."""

import base64
import hashlib
from contextlib import closing
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from kycourier.core.errors import EvidenceConflictError
from support.aws.aws_proxy import drop_call, respond
from support.aws.clients import aws_client
from support.aws.services import new_bucket, open_evidence
from support.rigs.bucket import (
    KEY,
    OTHER,
    PHOTO,
    UNCLEAR,
    put_object,
    sha256,
    unavailable,
)
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import HostileServer, Peer, http_response

pytestmark = [*EMULATOR_MARKS]

# put


def test_put_to_s3_sends_if_none_match_and_checksums(in_s3):
    in_s3.put()

    (sent,) = in_s3.proxy.calls
    digest = base64.b64encode(hashlib.sha256(PHOTO).digest()).decode()
    assert sent.headers["if-none-match"] == "*"
    assert sent.headers["x-amz-checksum-sha256"] == digest
    assert sent.headers["x-amz-content-sha256"] == sha256(PHOTO)
    assert sent.headers["content-type"] == "image/jpeg"
    signed = sent.headers["authorization"]
    assert "if-none-match" in signed
    assert "x-amz-checksum-sha256" in signed
    # the bucket's own encryption and access apply
    assert [
        name for name in sent.headers if "encryption" in name or "acl" in name
    ] == []
    assert in_s3.read() == PHOTO


@pytest.mark.parametrize(
    ("query", "sse", "key"),
    [
        ("sse=AES256", "AES256", None),
        ("sse=aws:kms", "aws:kms", None),
        ("sse=aws:kms&kms_key=alias/mine", "aws:kms", "alias/mine"),
    ],
)
def test_put_to_s3_asks_for_the_encryption_of_the_setting(moto, proxy, query, sse, key):
    store = open_evidence(proxy.url, f"{new_bucket(moto)}/prefix?{query}")
    put_object(store)

    (sent,) = proxy.calls_to("PUT")
    name = "x-amz-server-side-encryption"
    assert sent.headers[name] == sse
    assert sent.headers.get(f"{name}-aws-kms-key-id") == key
    assert name in sent.headers["authorization"]
    assert store.digest(KEY) == sha256(PHOTO)


def test_put_to_cos_sends_no_header_that_cos_does_not_know(in_cos):
    in_cos.put()

    (sent,) = in_cos.proxy.calls_to("PUT")
    assert [name for name in sent.headers if name.startswith("if")] == []
    assert sent.headers["x-amz-content-sha256"] == sha256(PHOTO)
    assert sent.headers["content-type"] == "image/jpeg"
    known = {"x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}
    assert {name for name in sent.headers if name.startswith("x-")} == known


def test_put_to_cos_reads_first_and_does_not_repeat_a_put(in_cos):
    in_cos.put()
    in_cos.put()

    assert [call.name for call in in_cos.proxy.calls] == ["GET", "PUT", "GET"]
    assert in_cos.read() == PHOTO


def test_other_bytes_in_cos_are_a_conflict_without_a_put(in_cos):
    in_cos.overwrite()

    with pytest.raises(EvidenceConflictError) as failure:
        in_cos.put()

    assert failure.value.__context__ is None
    assert in_cos.puts() == 0
    assert in_cos.read() == OTHER


def test_failed_lookup_prevents_a_put_to_cos(in_cos):
    in_cos.proxy.plan("GET", respond(503), drop_call)

    with unavailable(UNCLEAR):
        in_cos.put()

    assert in_cos.puts() == 0


def test_sixteen_mib_are_stored_in_one_put(in_s3):
    content = hashlib.sha256(b"seed").digest() * (16 * 1024 * 1024 // 32)

    in_s3.put(KEY, content)

    assert in_s3.puts() == 1
    assert in_s3.store.open(KEY).read() == content


def test_prefix_may_be_missing_or_end_in_a_slash(moto):
    bucket = new_bucket(moto)
    put_object(open_evidence(moto, bucket))
    put_object(open_evidence(moto, f"{bucket}/kyc/"))

    listed = aws_client("s3", moto).list_objects_v2(Bucket=bucket)["Contents"]
    assert [found["Key"] for found in listed] == [KEY, f"kyc/{KEY}"]


def test_put_does_not_start_without_remaining_time(in_s3):
    in_s3.left[0] = 1.9

    with unavailable("no time left"):
        in_s3.put()

    assert in_s3.proxy.calls == []


# reading


READS = {
    "digest": lambda store: store.digest(KEY),
    "open": lambda store: sha256(store.open(KEY).read()),
    "list": lambda store: list(store.list("SANDBOX1")),
}


@pytest.mark.parametrize("verb", READS)
def test_read_is_retried_once(in_s3, verb):
    in_s3.put()
    found = READS[verb](in_s3.store)

    in_s3.proxy.plan("GET", drop_call)
    assert READS[verb](in_s3.store) == found
    in_s3.proxy.plan("GET", respond(503), drop_call)
    with unavailable(UNCLEAR):
        READS[verb](in_s3.store)


def test_truncated_object_is_a_failure():
    head = http_response(
        PHOTO[:100], 'ETag: "a"', "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"
    )
    cut_short = head.replace(b"Content-Length: 100", b"Content-Length: 2307")

    def script(peer: Peer) -> None:
        is_list = b"list-type" in peer.read_request()
        peer.send(http_response(b"<ListBucketResult/>") if is_list else cut_short)
        peer.end()

    with closing(HostileServer(script)) as server:
        store = open_evidence(server.url, "bucket1")
        for read in (store.digest, store.open):
            with unavailable(UNCLEAR):
                read(KEY)


def test_list_reads_every_page(in_s3):
    keys = [f"a/b/{number:04}.jpg" for number in range(1000)]
    for key in [*keys, "a/c/0.jpg", "a/ba/0.jpg"]:
        in_s3.overwrite(key, b"")

    assert list(in_s3.store.list("a/b")) == keys
    assert sorted(in_s3.store.list("a")) == sorted([*keys, "a/c/0.jpg", "a/ba/0.jpg"])


def test_listing_that_repeats_its_page_is_a_failure(in_cos):
    """COS does not document the second version of S3's listing."""
    for number in range(1001):
        in_cos.overwrite(f"a/{number:04}.jpg", b"")

    with unavailable("a listing does not go on after a page"):
        list(in_cos.store.list("a"))


def test_list_includes_foreign_keys(in_s3):
    others = ["a/由他人.txt", "a/a blank", "a/%20", "a/x+y&<z>"]
    for key in [*others, "a/"]:  # consoles create folder objects
        in_s3.overwrite(key)

    assert sorted(in_s3.store.list("a")) == sorted(others)


def test_list_rejects_a_key_that_is_not_a_path(in_s3):
    in_s3.overwrite("a//b")

    with unavailable("a key is not a path"):
        list(in_s3.store.list("a"))


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a\n", "照片.jpg"])
def test_unsafe_key_is_rejected_before_any_call(in_s3, key):
    store = in_s3.store
    for use in (in_s3.put, store.digest, store.open, store.list):
        with unavailable("unusable key"):
            use(key)
    with unavailable("unusable key"):
        store.link(key, seconds=60)
    assert in_s3.proxy.calls == []


def test_link_downloads_the_object_and_expires(rig):
    rig.put()

    link = rig.store.link(KEY, seconds=90)

    query = parse_qs(urlsplit(link).query)
    assert query["X-Amz-Expires"] == ["90"]
    begun = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z")
    assert abs(datetime.now(timezone.utc) - begun) < timedelta(seconds=60)  # noqa: TID251 - S3's clock
    assert requests.get(link, timeout=5).content == PHOTO


# denials and missing buckets


@pytest.mark.parametrize(
    ("action", "method", "verb"),
    [("PutObject", "PUT", "put"), ("GetObject", "GET", "digest")],
)
def test_denied_permission_is_named_and_not_retried(rig, action, method, verb):
    use = rig.put if verb == "put" else rig.store.digest
    rig.proxy.plan(method, respond(403, b"<Error><Code>AccessDenied</Code></Error>"))

    with unavailable(f"denied {rig.scheme}:{action} on a bucket"):
        use(KEY)

    assert len(rig.proxy.calls_to(method)) == 1


def test_deleted_bucket_is_reported_as_missing(in_s3):
    aws_client("s3", in_s3.moto).delete_bucket(Bucket=in_s3.name)

    with unavailable("no such bucket in this region"):
        in_s3.put()

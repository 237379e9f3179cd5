"""Evidence in S3: put headers, retried reads, listings, links and denials."""

import base64
import hashlib
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from kycourier.adapters.aws.evidence import open_bucket
from kycourier.adapters.context import AdapterContext
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.settings.resource_url import ResourceUrl
from support.aws.aws_proxy import drop_call, respond
from support.aws.clients import aws_client, aws_context
from support.aws.s3_objects import (
    KEY,
    PHOTO,
    UNCLEAR,
    assert_failure,
    put_object,
    read_object,
    sha256,
)
from support.aws.services import open_evidence
from support.servers.emulators import EMULATOR_MARKS
from support.servers.hostile_server import HostileServer, Peer, http_response

pytestmark = [*EMULATOR_MARKS]

# put


def test_put_sends_if_none_match_and_checksums(store, proxy, moto, bucket):
    put_object(store)

    (sent,) = proxy.calls_to("PUT")
    digest = base64.b64encode(hashlib.sha256(PHOTO).digest()).decode()
    assert sent.headers["if-none-match"] == "*"
    assert sent.headers["x-amz-checksum-sha256"] == digest
    assert sent.headers["x-amz-content-sha256"] == sha256(PHOTO)
    assert sent.headers["content-type"] == "image/jpeg"
    signed = sent.headers["authorization"]
    assert "if-none-match" in signed
    assert "x-amz-checksum-sha256" in signed
    assert read_object(moto, bucket) == PHOTO


def test_bucket_default_encrypts_the_object(store, proxy, moto, bucket):
    s3 = aws_client("s3", moto)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/evidence"}
    rule = {"ApplyServerSideEncryptionByDefault": default}
    s3.put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]}
    )

    put_object(store)

    found = s3.head_object(Bucket=bucket, Key=f"some/prefix/{KEY}")
    assert found["ServerSideEncryption"] == "aws:kms"
    assert found["SSEKMSKeyId"] == "alias/evidence"
    headers = proxy.calls_to("PUT")[0].headers
    assert [name for name in headers if "encryption" in name or "acl" in name] == []


def test_sixteen_mib_are_stored_in_one_put(store, proxy):
    content = hashlib.sha256(b"seed").digest() * (16 * 1024 * 1024 // 32)

    put_object(store, KEY, content)

    assert len(proxy.calls_to("PUT")) == 1
    assert store.digest(KEY) == sha256(content)
    with store.open(KEY) as file:
        assert file.read() == content


def test_prefix_may_be_missing_or_end_in_a_slash(proxy, moto, bucket):
    put_object(open_evidence(proxy.url, bucket))
    put_object(open_evidence(proxy.url, f"{bucket}/kyc/"))

    listed = aws_client("s3", moto).list_objects_v2(Bucket=bucket)["Contents"]
    assert [found["Key"] for found in listed] == [KEY, f"kyc/{KEY}"]


# reading


def test_read_is_retried_once(store, proxy):
    put_object(store)
    proxy.plan("GET", drop_call)
    assert store.digest(KEY) == sha256(PHOTO)
    proxy.plan("GET", respond(503))
    assert store.open(KEY).read() == PHOTO
    proxy.plan("GET", respond(500))
    assert list(store.list("SANDBOX1")) == [KEY]


def test_read_that_fails_twice_is_evidence_unavailable(store, proxy):
    put_object(store)
    for use in (
        lambda: store.digest(KEY),
        lambda: store.open(KEY),
        lambda: list(store.list("SANDBOX1")),
    ):
        proxy.plan("GET", respond(503), drop_call)
        with pytest.raises(EvidenceUnavailableError) as failure:
            use()
        assert_failure(failure, UNCLEAR)


def test_truncated_object_is_a_failure(bucket):
    head = http_response(
        PHOTO[:100], 'ETag: "a"', "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT"
    )
    cut_short = head.replace(b"Content-Length: 100", b"Content-Length: 2307")

    def script(peer: Peer) -> None:
        request = peer.read_request()
        peer.send(
            http_response(b"<ListBucketResult/>")
            if b"list-type" in request
            else cut_short
        )
        peer.end()

    with closing(HostileServer(script)) as server:
        store = open_evidence(server.url, bucket)
        for use in (store.digest, store.open):
            with pytest.raises(EvidenceUnavailableError) as failure:
                use(KEY)
            assert_failure(failure, UNCLEAR)


def test_list_reads_every_page(store, moto, bucket):
    s3 = aws_client("s3", moto)
    keys = [f"a/b/{number:04}.jpg" for number in range(1000)]
    for key in [*keys, "a/c/0.jpg", "a/ba/0.jpg"]:
        s3.put_object(Bucket=bucket, Key=f"some/prefix/{key}")

    assert list(store.list("a/b")) == keys
    assert sorted(store.list("a")) == sorted([*keys, "a/c/0.jpg", "a/ba/0.jpg"])
    assert list(store.list("a/b"))[-1] == keys[-1]


def test_list_includes_foreign_keys(store, moto, bucket):
    s3 = aws_client("s3", moto)
    others = ["a/由他人.txt", "a/a blank", "a/%20", "a/x+y&<z>"]
    for key in [*others, "a/"]:  # consoles create folder objects
        s3.put_object(Bucket=bucket, Key=f"some/prefix/{key}")

    assert sorted(store.list("a")) == sorted(others)


def test_list_rejects_a_key_that_is_not_a_path(store, moto, bucket):
    aws_client("s3", moto).put_object(Bucket=bucket, Key="some/prefix/a//b")

    with pytest.raises(EvidenceUnavailableError) as failure:
        list(store.list("a"))

    assert_failure(failure, "a key is not a path")


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a\n", "照片.jpg"])
def test_unsafe_key_is_rejected_before_any_call(store, proxy, key):
    before = len(proxy.calls)
    uses: list[Callable[[], object]] = [
        lambda: put_object(store, key),
        lambda: store.digest(key),
        lambda: store.open(key),
        lambda: store.list(key),
        lambda: store.link(key, seconds=60),
    ]
    for use in uses:
        with pytest.raises(EvidenceUnavailableError) as failure:
            use()
        assert_failure(failure, "unusable key")
    assert len(proxy.calls) == before


def test_link_downloads_the_object_and_expires(store):
    put_object(store)

    link = store.link(KEY, seconds=90)

    query = parse_qs(urlsplit(link).query)
    assert query["X-Amz-Expires"] == ["90"]
    begun = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z")
    assert abs(datetime.now(timezone.utc) - begun) < timedelta(seconds=60)  # noqa: TID251 - S3's clock
    assert requests.get(link, timeout=5).content == PHOTO


def test_put_does_not_start_without_remaining_time(proxy, bucket):
    left = [60.0]
    context = AdapterContext(
        clock=aws_context(proxy.url).clock,
        environ=aws_context(proxy.url).environ,
        seconds_left=lambda: left[0],
    )
    store = open_bucket(ResourceUrl("s3", bucket), context)
    before = len(proxy.calls)
    left[0] = 1.9

    with pytest.raises(EvidenceUnavailableError) as failure:
        put_object(store)

    assert_failure(failure, "no time left")
    assert len(proxy.calls) == before


# denials and missing buckets


def test_denied_permission_is_named_and_not_retried(store, proxy, bucket):
    denied = respond(403, b"<Error><Code>AccessDenied</Code></Error>")
    uses: dict[str, tuple[str, Callable[[], object]]] = {
        "PutObject": ("PUT", lambda: put_object(store)),
        "GetObject": ("GET", lambda: store.digest(KEY)),
    }
    for action, (method, use) in uses.items():
        before = len(proxy.calls)
        proxy.plan(method, denied)
        with pytest.raises(EvidenceUnavailableError) as failure:
            use()
        assert_failure(failure, f"denied s3:{action} on a bucket")
        assert len(proxy.calls) == before + 1
        assert bucket not in str(failure.value)


def test_deleted_bucket_is_reported_as_missing(store, moto, bucket):
    aws_client("s3", moto).delete_bucket(Bucket=bucket)

    with pytest.raises(EvidenceUnavailableError) as failure:
        put_object(store)

    assert_failure(failure, "no such bucket in this region")

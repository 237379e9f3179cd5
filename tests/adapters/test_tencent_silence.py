"""Tencent Cloud's adapters are silent about what passes, with every logger on."""

import json
import logging
from collections.abc import Iterator
from contextlib import closing

import pytest

from aws.proxy import AwsProxy, answering, cut
from canaries import MARK
from kycourier.adapters.tencent.silence import LOUD_LOGGERS
from leak_scan import find_leaks
from loud import listening
from loud_edges import run, signatures
from silent_case import EVENT, assert_silent, keep_photo
from stand_ins import IN_CLOUD
from tencent.account import (
    REGION,
    ROLE,
    Account,
    new_bucket,
    open_evidence,
    open_secret,
    open_sink,
    role_environ,
)

pytestmark = [*IN_CLOUD]
SECRET = "canary-app-secret-5923"
PHOTO = "canary-photo-bytes-7741"
TEXT = "canary-event-text-3318"
FOREIGN = "canary-foreign-text-9902"
CANARIES = [SECRET, PHOTO, TEXT, FOREIGN, ROLE.secret_key, ROLE.token or ""]
NAMES = ["GET", "HEAD", "PUT", "GetEventBus", "PutEvents"]
NAMES += ["ListSecretVersionIds", "GetSecretValue"]


@pytest.fixture
def edges(account, cos) -> Iterator[tuple[AwsProxy, AwsProxy, dict[str, object]]]:
    """Give proxies before the API and COS, and a place for every adapter."""
    account.keep(SECRET)
    with closing(AwsProxy(account.url)) as api, closing(AwsProxy(cos.url)) as bucket:
        in_region = f"?region={REGION}"
        places = {
            "environ": {
                **role_environ(api.url),
                "TENCENTCLOUD_ENDPOINT_URL_COS": bucket.url,
            },
            "url": bucket.url,
            "libraries": ["tencentcloud_sdk_common", "urllib3", "requests"],
            "photo": PHOTO,
            "event": TEXT,
            "evidence": ("cos", new_bucket(cos) + in_region),
            "bus": ("tencent-eb", account.make_bus() + in_region),
            "secret": ("tencent-ssm", f"secret1{in_region}"),
            "sinks": ["bus"],
            "queues": [],
            "secrets": ["secret"],
        }
        yield api, bucket, places


def assert_nothing_of(written: str, api: AwsProxy, bucket: AwsProxy) -> None:
    signed = [*signatures(api), *signatures(bucket)]
    assert signed
    assert find_leaks([*CANARIES, *signed], {"written": written}) == []
    for word in ("X-Amz-", "X-TC-", "Signature", "http://", "a/b.jpg", "SecretString"):
        assert word not in written


def test_nothing_is_written_that_passes_through(edges, account):
    api, bucket, settings = edges

    written = run(settings)

    assert TEXT in account.bodies()[0]
    answers = [answer.body for _, answer in api.answers]
    assert any(SECRET.encode() in body for body in answers)
    assert any(PHOTO.encode() in call.body for call in bucket.calls)
    assert_nothing_of(written, api, bucket)


@pytest.mark.parametrize("play", ["refused", "cut", "garbage"])
def test_nothing_is_written_of_what_fails(edges, play):
    api, bucket, settings = edges
    error = {"Code": FOREIGN, "Message": FOREIGN}
    told = json.dumps({"Response": {"Error": error, "RequestId": FOREIGN}}).encode()
    plays = {
        "refused": answering(400, told, ("Content-Type", "application/json")),
        "cut": cut,
        "garbage": answering(200, f"<{FOREIGN}".encode()),
    }
    for name in NAMES:
        for proxy in (api, bucket):
            proxy.plan(name, *[plays[play]] * 2)

    written = run(settings, rounds=3)

    assert "Error" in written or "Unavailable" in written
    assert_nothing_of(written, api, bucket)


@pytest.mark.tells_secrets
@pytest.mark.parametrize(
    ("leak", "canary"), [("link", "X-Amz-Signature="), ("logs", SECRET)]
)
def test_the_scan_finds_what_the_libraries_write_on_their_own(edges, leak, canary):
    _, _, settings = edges

    written = run(settings, leak=leak)

    assert canary in written
    assert find_leaks([canary], {"written": written})


# what a crash reporter would take along


FAILS = {
    "cut": cut,
    "failed": answering(503, MARK.encode()),
    "refused": answering(
        200,
        f'{{"Response":{{"Error":{{"Code":"{MARK}","Message":"{MARK}"}}}}}}'.encode(),
    ),
    "garbage": answering(200, f'{{"Response":"{MARK}"}}'.encode()),
}


@pytest.mark.parametrize("fails", FAILS)
def test_what_fails_takes_no_canary_along(account, cos, fails):
    account.keep(f"{MARK}value")
    with closing(AwsProxy(account.url)) as api, closing(AwsProxy(cos.url)) as bucket:
        sink = open_sink(api.url, account.make_bus())
        source = open_secret(api.url)
        store = open_evidence(bucket.url, new_bucket(cos))
        for name in NAMES:
            for proxy in (api, bucket):
                proxy.plan(name, *[FAILS[fails]] * 9)

        assert_silent(lambda: sink.publish([EVENT]))
        assert_silent(source.load)
        assert_silent(lambda: keep_photo(store))


def test_a_secret_that_is_no_text_takes_none_along(account):
    account.keep(b"U1lOVEhFVElDMENBTkFSWTD/")

    assert_silent(open_secret(account.url).load)


def test_no_record_comes_from_the_sdks_logger(account):
    account.keep(SECRET)
    with listening(LOUD_LOGGERS) as records:
        open_secret(account.url).load()

    assert records.texts == []


@pytest.mark.tells_secrets
def test_the_sdks_logger_tells_secrets_on_its_own(account: Account, monkeypatch):
    account.keep(SECRET)
    source = open_secret(account.url)
    for name in LOUD_LOGGERS:
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    with listening(LOUD_LOGGERS) as records:
        source.load()

    assert any(SECRET in text for text in records.texts)

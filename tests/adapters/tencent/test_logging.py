"""Tencent Cloud adapters log and expose nothing secret, with every logger at DEBUG."""

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from kycourier.adapters.tencent.client import NOISY_LOGGERS
from support.aws.aws_proxy import AwsProxy, drop_call, respond
from support.leaks.canaries import MARK
from support.leaks.crash_cases import EVENT, assert_failure_leaks_nothing, store_photo
from support.leaks.leak_scan import find_leaks
from support.leaks.log_capture import capture_logs
from support.leaks.noisy_adapters import run_noisy_adapters, sent_signatures
from support.servers.emulators import EMULATOR_MARKS
from support.tencent_api_rig import (
    REGION,
    ROLE,
    new_bucket,
    open_evidence,
    open_secret,
    open_sink,
    role_environ,
)

pytestmark = [*EMULATOR_MARKS]
SECRET = "canary-app-secret-5923"
PHOTO = "canary-photo-bytes-7741"
TEXT = "canary-event-text-3318"
FOREIGN = "canary-foreign-text-9902"
CANARIES = [SECRET, PHOTO, TEXT, FOREIGN, ROLE.secret_key, ROLE.token or ""]
NAMES = ["GET", "HEAD", "PUT", "GetEventBus", "PutEvents"]
NAMES += ["ListSecretVersionIds", "GetSecretValue"]


@pytest.fixture
def resources(account, cos) -> Iterator[tuple[AwsProxy, AwsProxy, dict[str, object]]]:
    """Return proxies to the API and COS, and the settings of the child process."""
    account.keep(SECRET)
    with closing(AwsProxy(account.url)) as api, closing(AwsProxy(cos.url)) as bucket:
        in_region = f"?region={REGION}"
        settings = {
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
        yield api, bucket, settings


def assert_nothing_of(written: str, api: AwsProxy, bucket: AwsProxy) -> None:
    signed = [*sent_signatures(api), *sent_signatures(bucket)]
    assert signed
    assert find_leaks([*CANARIES, *signed], {"written": written}) == []
    for word in ("X-Amz-", "X-TC-", "Signature", "http://", "a/b.jpg", "SecretString"):
        assert word not in written


def test_successful_calls_log_nothing(resources, account):
    api, bucket, settings = resources

    written = run_noisy_adapters(settings)

    assert TEXT in account.bodies()[0]
    bodies = [response.body for _, response in api.responses]
    assert any(SECRET.encode() in body for body in bodies)
    assert any(PHOTO.encode() in call.body for call in bucket.calls)
    assert_nothing_of(written, api, bucket)


@pytest.mark.parametrize("kind", ["refused", "dropped", "garbage"])
def test_failed_calls_log_nothing_of_the_response(resources, kind):
    api, bucket, settings = resources
    error = {"Code": FOREIGN, "Message": FOREIGN}
    body = json.dumps({"Response": {"Error": error, "RequestId": FOREIGN}}).encode()
    scripts = {
        "refused": respond(400, body, ("Content-Type", "application/json")),
        "dropped": drop_call,
        "garbage": respond(200, f"<{FOREIGN}".encode()),
    }
    for name in NAMES:
        for proxy in (api, bucket):
            proxy.plan(name, *[scripts[kind]] * 2)

    written = run_noisy_adapters(settings, rounds=3)

    assert "Error" in written or "Unavailable" in written
    assert_nothing_of(written, api, bucket)


# crash reports


FAILS = {
    "dropped": drop_call,
    "failed": respond(503, MARK.encode()),
    "refused": respond(
        200,
        f'{{"Response":{{"Error":{{"Code":"{MARK}","Message":"{MARK}"}}}}}}'.encode(),
    ),
    "garbage": respond(200, f'{{"Response":"{MARK}"}}'.encode()),
}


@pytest.mark.parametrize("fails", FAILS)
def test_failures_expose_nothing_to_a_crash_reporter(account, cos, fails):
    account.keep(f"{MARK}value")
    with closing(AwsProxy(account.url)) as api, closing(AwsProxy(cos.url)) as bucket:
        sink = open_sink(api.url, account.make_bus())
        source = open_secret(api.url)
        store = open_evidence(bucket.url, new_bucket(cos))
        for name in NAMES:
            for proxy in (api, bucket):
                proxy.plan(name, *[FAILS[fails]] * 9)

        assert_failure_leaks_nothing(lambda: sink.publish([EVENT]))
        assert_failure_leaks_nothing(source.get)
        assert_failure_leaks_nothing(lambda: store_photo(store))


def test_secret_that_is_not_utf8_is_not_exposed(account):
    account.keep(b"U1lOVEhFVElDMENBTkFSWTD/")

    assert_failure_leaks_nothing(open_secret(account.url).get)


def test_sdk_logger_is_muted(account):
    account.keep(SECRET)
    with capture_logs(NOISY_LOGGERS) as records:
        open_secret(account.url).get()

    assert records.texts == []

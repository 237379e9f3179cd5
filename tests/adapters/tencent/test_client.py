"""Tencent Cloud API calls: reasons of failures, retries, credentials, endpoints."""

import math
from contextlib import closing

import pytest

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import run
from kycourier.adapters.tencent.client import EmptyResponse, TencentClient
from kycourier.adapters.tencent.errors import explain
from kycourier.adapters.tencent.secrets import API
from kycourier.core.errors import SettingError, StoreUnavailableError
from kycourier_devkit.emulators.tencent.tc3 import Key
from support.aws.aws_proxy import (
    AWS_MESSAGE,
    AwsProxy,
    drip_response,
    drop_call,
    respond,
)
from support.fakes import FakeClock
from support.servers.hostile_server import closed_port
from support.tencent_api_rig import (
    REGION,
    RENEWED,
    TencentApiAccount,
    refuse_call,
    role_environ,
    tencent_context,
)

pytestmark = pytest.mark.enable_socket
ACTION = "ListSecretVersionIds"


@pytest.fixture
def api_proxy(account):
    """Return a proxy to an API that holds one secret."""
    account.keep("value")
    with closing(AwsProxy(account.url)) as proxy:
        yield proxy


def send(context: AdapterContext) -> object:
    client = TencentClient("ssm", API, REGION, context)
    return client.call(ACTION, {"SecretName": "secret1"}, EmptyResponse)


def call(context: AdapterContext) -> object:
    return run(
        lambda: send(context),
        action=f"ssm:{ACTION}",
        kind="secret",
        explain=explain,
        failure=StoreUnavailableError,
    )


def fail(context: AdapterContext) -> str:
    """Return why a call failed; assert that it chains no library exception."""
    with pytest.raises(StoreUnavailableError) as failure:
        call(context)
    assert failure.value.__context__ is None
    assert failure.value.__cause__ is None
    return failure.value.reason


# reasons of failures

DENIED = f"denied ssm:{ACTION} on a secret"
ABSENT = "no such secret in this region"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("UnauthorizedOperation", DENIED),
        ("UnauthorizedOperation.CAM", DENIED),
        ("AuthFailure.UnauthorizedOperation", DENIED),
        (
            "UnauthorizedOperation.AccessKmsError",
            "denied kms:Decrypt on the secret's key",
        ),
        ("ResourceNotFound", ABSENT),
        ("ResourceNotFound.SecretNotExist", ABSENT),
        ("ResourceUnavailable.ResourceDisabled", "secret is disabled"),
        ("ResourceUnavailable.NotPurchased", "the service is not activated"),
        ("AuthFailure.TokenFailure", "credentials are refused"),
        ("AuthFailure.SignatureExpire", "the clock is off by minutes"),
        ("RequestLimitExceeded.UinLimitExceeded", "throttled"),
        ("InternalError", "InternalError"),
        ("LimitExceeded.BannedAccount", "LimitExceeded.BannedAccount"),
        (AWS_MESSAGE, "unreadable response"),
        ("<html>", "unreadable response"),
    ],
)
def test_error_code_becomes_a_reason_without_the_message(lone_proxy, code, reason):
    lone_proxy.plan(ACTION, *[refuse_call(code)] * 2)

    assert fail(tencent_context(lone_proxy.url)) == reason


@pytest.mark.parametrize("status", [200, 400, 403, 404, 500])
@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/html"])
def test_error_is_recognized_with_any_status_and_content_type(lone_proxy, status, kind):
    """The SDK itself recognizes errors with two content types only."""
    lone_proxy.plan(ACTION, refuse_call("ResourceNotFound", status, kind))

    assert fail(tencent_context(lone_proxy.url)) == ABSENT
    assert len(lone_proxy.calls) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[]",
        b"null",
        b'{"Response":null}',
        b'{"Response":{}}',
        b'{"Response":{"Error":null}}',
        b'{"Response":{"Error":{}}}',
        b'{"Response":{"Error":{"Code":1},"RequestId":"1"}}',
        b'{"Response":{"RequestId":1}}',
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/html"])
def test_foreign_response_is_a_failure(lone_proxy, body, kind):
    lone_proxy.plan(ACTION, *[respond(200, body, ("Content-Type", kind))] * 2)

    assert fail(tencent_context(lone_proxy.url)) == "unreadable response"


@pytest.mark.parametrize(
    "script",
    [
        drop_call,
        respond(503),
        respond(302, b"", ("Location", "http://[::1]:1/")),
        respond(200, b" " * (2 << 20), ("Content-Type", "application/json")),
    ],
    ids=["dropped", "503", "redirected", "too large"],
)
def test_missing_response_is_retried_once(lone_proxy, script):
    lone_proxy.plan(ACTION, script, script)

    assert fail(tencent_context(lone_proxy.url)) == "no response"
    assert len(lone_proxy.calls) == 2


# retries and time limits


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError"])
def test_transient_error_is_retried_after_a_pause(api_proxy, code):
    clock = FakeClock()
    api_proxy.plan(ACTION, refuse_call(code))

    began = clock.monotonic()
    call(tencent_context(api_proxy.url, clock=clock))

    assert len(api_proxy.calls_to(ACTION)) == 2
    assert clock.monotonic() - began == pytest.approx(0.2)


@pytest.mark.parametrize("left", [-1, 0, 0.9])
def test_nothing_is_sent_without_remaining_time(lone_proxy, left):
    assert fail(tencent_context(lone_proxy.url, left=left)) == "no time left"
    assert lone_proxy.calls == []


def test_short_remaining_time_allows_one_attempt(lone_proxy):
    lone_proxy.plan(ACTION, refuse_call("InternalError"))

    assert fail(tencent_context(lone_proxy.url, left=1.1)) == "InternalError"
    assert len(lone_proxy.calls_to(ACTION)) == 1


def test_dripping_response_ends_with_the_remaining_time(api_proxy):
    """No single read times out, but the whole response would take too long."""
    api_proxy.plan(ACTION, drip_response)

    assert fail(tencent_context(api_proxy.url, left=1.1)) == "no response"


# credentials and endpoints


def test_credentials_are_read_at_each_call(account):
    account.keep("value")
    environ = role_environ(account.url)
    context = AdapterContext(clock=FakeClock(), environ=environ)
    call(context)

    account.api.renew(RENEWED)
    assert fail(context) == "credentials are refused"
    environ |= role_environ(account.url, RENEWED)

    call(context)


@pytest.mark.parametrize("name", ["SECRETID", "SECRETKEY"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_credentials_fail_without_a_call(lone_proxy, name, value):
    environ = role_environ(lone_proxy.url)
    variable = f"TENCENTCLOUD_{name}"
    del environ[variable]
    if value is not None:
        environ[variable] = value

    reason = fail(AdapterContext(clock=FakeClock(), environ=environ))

    assert reason == "no credentials: bind a role to the function"
    assert lone_proxy.calls == []


def test_malformed_credentials_keep_the_sdks_code(lone_proxy):
    assert fail(tencent_context(lone_proxy.url, TENCENTCLOUD_SECRETID=" x")) == (
        "InvalidCredential"
    )


def test_permanent_key_needs_no_token():
    key = Key("AKIDlasting", "synthetic")
    with closing(TencentApiAccount(key)) as account:
        account.keep("value")

        call(AdapterContext(clock=FakeClock(), environ=role_environ(account.url, key)))


@pytest.mark.parametrize("own", [True, False])
def test_service_endpoint_overrides_the_general_one(account, own):
    account.keep("value")
    elsewhere = f"http://127.0.0.1:{closed_port()}"
    general, specific = (elsewhere, account.url) if own else (account.url, elsewhere)
    name = "SSM" if own else "EB"

    call(tencent_context(general, **{f"TENCENTCLOUD_ENDPOINT_URL_{name}": specific}))


@pytest.mark.parametrize(
    "endpoint", ["http://ssm.example.com", "127.0.0.1:9", "https://u@h", "https://h/p"]
)
@pytest.mark.parametrize("suffix", ["", "_SSM"])
def test_malformed_or_plain_http_endpoint_is_a_setting_error(endpoint, suffix):
    variable = f"TENCENTCLOUD_ENDPOINT_URL{suffix}"
    environ = {**role_environ(""), variable: endpoint}

    with pytest.raises(SettingError) as failure:
        send(AdapterContext(clock=FakeClock(), environ=environ))

    assert failure.value.variable == variable
    assert endpoint not in str(failure.value)


def test_call_takes_at_most_three_seconds_without_a_deadline(account):
    client = TencentClient("ssm", API, REGION, tencent_context(account.url))

    assert math.isinf(tencent_context(account.url).seconds_left())
    assert client._seconds() == 3.0

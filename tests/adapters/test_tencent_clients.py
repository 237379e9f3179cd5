"""Calls of Tencent Cloud's API: how failures are named, how long is tried, as whom."""

import math
from contextlib import closing

import pytest

from aws.proxy import SAID, AwsProxy, Play, answering, cut, dripping
from fakes import FakeClock
from hostile import refusing_port, unaccepting_port
from kycourier.adapters.surroundings import Surroundings
from kycourier.adapters.tencent.calls import prove, run
from kycourier.adapters.tencent.clients import ApiClient, Done
from kycourier.adapters.tencent.secrets import API
from kycourier.core.errors import SettingError, StoreUnavailable
from kycourier_devkit.stand_ins.tencent.tc3 import Key
from tencent.account import REGION, RENEWED, Account, around, role_environ

pytestmark = pytest.mark.enable_socket
ACTION = "ListSecretVersionIds"
JSON = ("Content-Type", "application/json")


@pytest.fixture
def api_proxy(account):
    """Give a proxy before the API, where one secret is kept."""
    account.keep("value")
    with closing(AwsProxy(account.url)) as proxy:
        yield proxy


def ask(surroundings: Surroundings) -> object:
    client = ApiClient("ssm", API, REGION, surroundings)
    return client.ask(ACTION, {"SecretName": "secret1"}, Done)


def call(surroundings: Surroundings) -> object:
    return run(
        lambda: ask(surroundings),
        action=f"ssm:{ACTION}",
        kind="secret",
        failure=StoreUnavailable,
    )


def fail(surroundings: Surroundings) -> str:
    """Give why a call is not done, and hold that nothing foreign comes along."""
    with pytest.raises(StoreUnavailable) as failure:
        call(surroundings)
    assert failure.value.__context__ is None
    assert failure.value.__cause__ is None
    return failure.value.reason


def refusing(code: str, *kind: tuple[str, str]) -> Play:
    """Answer as the API does, with an error, without doing anything."""
    body = f'{{"Response":{{"Error":{{"Code":"{code}","Message":"{SAID}"}},'
    return answering(200, f'{body}"RequestId":"1"}}}}'.encode(), *(kind or [JSON]))


# how failures are named


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("UnauthorizedOperation", f"denied ssm:{ACTION} on a secret"),
        ("UnauthorizedOperation.CAM", f"denied ssm:{ACTION} on a secret"),
        ("AuthFailure.UnauthorizedOperation", f"denied ssm:{ACTION} on a secret"),
        (
            "UnauthorizedOperation.AccessKmsError",
            "denied kms:Decrypt on the secret's key",
        ),
        ("ResourceNotFound", "no such secret in this region"),
        ("ResourceNotFound.SecretNotExist", "no such secret in this region"),
        ("ResourceUnavailable.ResourceDisabled", "secret is disabled"),
        ("ResourceUnavailable.NotPurchased", "the service is not activated"),
        ("AuthFailure.TokenFailure", "credentials are refused"),
        ("AuthFailure.SignatureExpire", "the clock is off by minutes"),
        ("RequestLimitExceeded.UinLimitExceeded", "throttled"),
        ("InternalError", "InternalError"),
        ("LimitExceeded.BannedAccount", "LimitExceeded.BannedAccount"),
        (SAID, "unreadable answer"),
        ("<html>", "unreadable answer"),
    ],
)
def test_refusals_are_named_by_what_they_mean_and_nothing_else(
    lone_proxy, code, reason
):
    lone_proxy.plan(ACTION, *[refusing(code)] * 2)

    assert fail(around(lone_proxy.url)) == reason


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "text/html", "text/plain"]
)
def test_a_refusal_is_one_whatever_its_content_type(lone_proxy, kind):
    """The SDK itself looks for an error in two spellings alone."""
    lone_proxy.plan(ACTION, refusing("ResourceNotFound", ("Content-Type", kind)))

    assert fail(around(lone_proxy.url)) == "no such secret in this region"


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_a_refusal_is_one_whatever_its_status(lone_proxy, status):
    told = refusing("ResourceNotFound")(None, None).body
    lone_proxy.plan(ACTION, answering(status, told, JSON))

    assert fail(around(lone_proxy.url)) == "no such secret in this region"


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
@pytest.mark.parametrize("kind", [JSON, ("Content-Type", "text/html")])
def test_an_answer_that_is_not_the_apis_is_a_failure(lone_proxy, body, kind):
    lone_proxy.plan(ACTION, *[answering(200, body, kind)] * 2)

    assert fail(around(lone_proxy.url)) == "unreadable answer"


@pytest.mark.parametrize(
    "play", [cut, answering(503), answering(302, b"", ("Location", "http://[::1]:1/"))]
)
def test_no_answer_is_asked_for_once_more_and_then_named(lone_proxy, play):
    lone_proxy.plan(ACTION, play, play)

    assert fail(around(lone_proxy.url)) == "no answer"
    assert len(lone_proxy.named(ACTION)) == 2


def test_an_answer_without_end_is_given_up(lone_proxy):
    lone_proxy.plan(ACTION, *[answering(200, b" " * (2 << 20), JSON)] * 2)

    assert fail(around(lone_proxy.url)) == "no answer"


def test_nobody_there_is_unreachable():
    assert fail(around(f"http://127.0.0.1:{refusing_port()}")) == "unreachable"


def test_an_endpoint_that_does_not_accept_is_given_up():
    with unaccepting_port() as port:
        reason = fail(around(f"http://127.0.0.1:{port}", left=1.1))

    assert reason in {"unreachable", "no answer"}


# how often and how long


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError"])
def test_what_passes_by_itself_is_asked_for_again_after_a_pause(api_proxy, code):
    clock = FakeClock()
    api_proxy.plan(ACTION, refusing(code))

    began = clock.monotonic()
    call(around(api_proxy.url, clock=clock))

    assert len(api_proxy.named(ACTION)) == 2
    assert clock.monotonic() - began == pytest.approx(0.2)


def test_a_refusal_is_not_asked_for_again(api_proxy):
    api_proxy.plan(ACTION, refusing("ResourceNotFound"))

    fail(around(api_proxy.url))

    assert len(api_proxy.named(ACTION)) == 1


def test_a_kept_connection_that_died_goes_unnoticed(api_proxy):
    surroundings = around(api_proxy.url)
    call(surroundings)
    api_proxy.plan(ACTION, cut)

    call(surroundings)


@pytest.mark.parametrize("left", [-1, 0, 0.9])
def test_nothing_is_sent_that_the_invocation_cannot_wait_for(lone_proxy, left):
    assert fail(around(lone_proxy.url, left=left)) == "no time left"
    assert lone_proxy.calls == []


def test_short_of_time_one_attempt_is_made(lone_proxy):
    lone_proxy.plan(ACTION, refusing("InternalError"))

    assert fail(around(lone_proxy.url, left=1.1)) == "InternalError"
    assert len(lone_proxy.named(ACTION)) == 1


def test_an_answer_that_drips_ends_with_the_time(api_proxy):
    """Each byte comes in time, the last one would not."""
    api_proxy.plan(ACTION, dripping)

    assert fail(around(api_proxy.url, left=1.1)) == "no answer"


@pytest.mark.parametrize(
    "play",
    [
        refusing("InternalError"),
        cut,
        refusing("InvalidAction"),
        refusing("UnsupportedOperation"),
        refusing("UnsupportedOperation.InvalidAction"),
        answering(404),
    ],
)
def test_what_shows_nothing_does_not_stop_the_start(lone_proxy, play):
    lone_proxy.plan(ACTION, play, play)

    prove(
        lambda: ask(around(lone_proxy.url)),
        action=f"ssm:{ACTION}",
        kind="secret",
        failure=StoreUnavailable,
    )


# as whom, and where


def test_credentials_are_those_of_the_moment(account):
    account.keep("value")
    environ = role_environ(account.url)
    surroundings = Surroundings(clock=FakeClock(), environ=environ)
    client = ApiClient("ssm", API, REGION, surroundings)
    asked = {"SecretName": "secret1"}
    client.ask(ACTION, asked, Done)

    account.api.renew(RENEWED)
    assert fail(surroundings) == "credentials are refused"
    environ |= role_environ(account.url, RENEWED)

    client.ask(ACTION, asked, Done)


@pytest.mark.parametrize("name", ["SECRETID", "SECRETKEY"])
@pytest.mark.parametrize("value", [None, ""])
def test_missing_credentials_are_named_and_nothing_is_sent(lone_proxy, name, value):
    environ = role_environ(lone_proxy.url)
    environ.pop(f"TENCENTCLOUD_{name}")
    if value is not None:
        environ[f"TENCENTCLOUD_{name}"] = value

    reason = fail(Surroundings(clock=FakeClock(), environ=environ))

    assert reason == "no credentials: bind a role to the function"
    assert lone_proxy.calls == []


def test_credentials_that_are_none_are_the_sdks_symbol(lone_proxy):
    assert fail(around(lone_proxy.url, TENCENTCLOUD_SECRETID=" x")) == (
        "InvalidCredential"
    )


def test_a_key_without_a_token_is_one_too():
    with closing(Account(Key("AKIDlasting", "synthetic"))) as account:
        account.keep("value")
        key = Key("AKIDlasting", "synthetic")

        call(Surroundings(clock=FakeClock(), environ=role_environ(account.url, key)))


@pytest.mark.parametrize("own", [True, False])
def test_a_services_own_endpoint_goes_before_the_general_one(account, own):
    account.keep("value")
    elsewhere = f"http://127.0.0.1:{refusing_port()}"
    general, mine = (elsewhere, account.url) if own else (account.url, elsewhere)
    name = "SSM" if own else "EB"

    call(around(general, **{f"TENCENTCLOUD_ENDPOINT_URL_{name}": mine}))


@pytest.mark.parametrize(
    "endpoint", ["http://ssm.example.com", "127.0.0.1:9", "https://u@h", "https://h/p"]
)
@pytest.mark.parametrize("suffix", ["", "_SSM"])
def test_an_endpoint_that_is_none_or_in_the_clear_is_named_by_its_variable(
    endpoint, suffix
):
    variable = f"TENCENTCLOUD_ENDPOINT_URL{suffix}"
    environ = {**role_environ(""), variable: endpoint}

    with pytest.raises(SettingError) as failure:
        ask(Surroundings(clock=FakeClock(), environ=environ))

    assert failure.value.variable == variable
    assert endpoint not in str(failure.value)


def test_proxies_of_the_environment_see_nothing(account, monkeypatch):
    account.keep("value")
    away = f"http://127.0.0.1:{refusing_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, away)

    call(around(account.url))


def test_an_endless_invocation_has_three_seconds_a_call(account):
    client = ApiClient("ssm", API, REGION, around(account.url))

    assert math.isinf(around(account.url).seconds_left())
    assert client._seconds() == 3.0

"""AWS's clients: how failures are named, how long is tried, and who shares them."""

import gc
import math
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from botocore import endpoint

from aws.access import REGION, aws_environ, surroundings
from aws.proxy import SAID, answering, answering_json, cut, failing
from hostile import refusing_port, unaccepting_port
from kycourier.adapters.aws import clients
from kycourier.adapters.aws.calls import run
from kycourier.adapters.aws.clients import (
    LAST_SECONDS,
    AwsClients,
    clients_of,
)
from kycourier.adapters.surroundings import endless
from kycourier.core.errors import (
    SettingError,
    SinkUnavailable,
    StoreUnavailable,
)

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def call(url: str, *, seconds_left: float = 1) -> object:
    """Read an item; one second left allows one attempt."""
    aws = AwsClients(aws_environ(url), seconds_left=lambda: seconds_left)
    return run(
        lambda: aws.client("dynamodb").get_item(TableName="t", Key={"pk": {"S": "k"}}),
        action="dynamodb:GetItem",
        kind="table",
        failure=StoreUnavailable,
    )


# how failures are named


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDeniedException", "denied dynamodb:GetItem on a table"),
        ("ResourceNotFoundException", "no such table in this region"),
        ("ThrottlingException", "throttled"),
        ("ProvisionedThroughputExceededException", "throttled"),
        ("RequestLimitExceeded", "throttled"),
        ("UnrecognizedClientException", "UnrecognizedClientException"),
        ("ValidationException", "ValidationException"),
        (SAID, "unreadable answer"),
        ("<html>", "unreadable answer"),
    ],
)
def test_errors_of_aws_are_named_by_what_they_mean_and_nothing_else(
    lone_proxy, code, reason
):
    lone_proxy.plan("GetItem", failing(code))

    with pytest.raises(StoreUnavailable) as failure:
        call(lone_proxy.url)

    assert failure.value.reason == reason
    assert failure.value.__context__ is None


@pytest.mark.parametrize("kind", ["parameter", "secret", "queue", "bus"])
def test_a_denied_permission_names_the_resources_kind_and_the_failure_is_the_callers(
    lone_proxy, kind
):
    lone_proxy.plan("GetItem", failing("AccessDeniedException"))
    aws = AwsClients(aws_environ(lone_proxy.url), seconds_left=endless)

    with pytest.raises(SinkUnavailable, match=f"denied a:B on a {kind}$"):
        run(
            lambda: aws.client("dynamodb").get_item(TableName="t", Key={}),
            action="a:B",
            kind=kind,
            failure=SinkUnavailable,
        )


def test_nobody_there_is_named_by_the_sdks_symbol():
    with pytest.raises(StoreUnavailable) as failure:
        call(f"http://127.0.0.1:{refusing_port()}")

    assert failure.value.reason == "unreachable"
    assert failure.value.__context__ is None


def test_an_endpoint_that_does_not_accept_is_given_up():
    with unaccepting_port() as port, pytest.raises(StoreUnavailable) as failure:
        call(f"http://127.0.0.1:{port}")

    assert failure.value.reason == "ConnectTimeoutError"


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [(503, f"<html>{SAID}</html>", "503"), (404, SAID, "404")],
)
def test_an_answer_that_is_not_dynamodbs_is_a_failure(lone_proxy, status, text, reason):
    lone_proxy.plan("GetItem", answering(status, text.encode()))

    with pytest.raises(StoreUnavailable) as failure:
        call(lone_proxy.url)

    assert failure.value.reason == reason
    assert failure.value.__context__ is None


def test_a_call_that_no_region_was_set_for_is_a_failure(monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    aws = AwsClients({}, seconds_left=endless)

    with pytest.raises(StoreUnavailable, match="no region: set AWS_REGION"):
        run(
            lambda: aws.client("dynamodb"),
            action="dynamodb:GetItem",
            kind="table",
            failure=StoreUnavailable,
        )


# how long is tried


@pytest.mark.parametrize(
    ("seconds_left", "attempts", "reason"),
    [
        (-1, 0, "no time left"),
        (0, 0, "no time left"),
        (0.94, 0, "no time left"),
        (0.95, 1, "ConnectionClosedError"),
        (4.4, 1, "ConnectionClosedError"),
        (4.5, 2, "ConnectionClosedError"),
        (5.4, 2, "ConnectionClosedError"),
        (5.5, 3, "ConnectionClosedError"),
        (math.inf, 3, "ConnectionClosedError"),
    ],
)
def test_as_often_is_tried_as_the_invocation_has_time_for(
    lone_proxy, seconds_left, attempts, reason
):
    lone_proxy.plan("GetItem", cut, cut, cut, cut)

    with pytest.raises(StoreUnavailable) as failure:
        call(lone_proxy.url, seconds_left=seconds_left)

    assert failure.value.reason == reason
    assert failure.value.__context__ is None
    assert len(lone_proxy.calls) == attempts


def test_time_that_runs_out_between_two_attempts_ends_them(lone_proxy):
    left = iter([10.0, 10.0, 10.0, 0.0])
    aws = AwsClients(aws_environ(lone_proxy.url), seconds_left=lambda: next(left))
    lone_proxy.plan("GetItem", cut, cut)

    with pytest.raises(StoreUnavailable, match="no time left"):
        run(
            lambda: aws.client("dynamodb").get_item(TableName="t", Key={}),
            action="dynamodb:GetItem",
            kind="table",
            failure=StoreUnavailable,
        )

    assert len(lone_proxy.calls) == 1


@pytest.mark.parametrize(
    ("play", "reason"),
    [
        (answering_json(Item={}), None),
        (cut, "ConnectionClosedError"),
        (failing("ThrottlingException"), "throttled"),
    ],
)
def test_short_of_time_one_attempt_is_made_whatever_the_runtimes_sdk_hears_in_false(
    lone_proxy, monkeypatch, play, reason
):
    """Before botocore 1.44 a handler's False was a pause of 0 s, after success too."""
    first = endpoint.first_non_none_response
    monkeypatch.setattr(
        endpoint,
        "first_non_none_response",
        lambda answers: 0 if (found := first(answers)) is False else found,
    )
    lone_proxy.plan("GetItem", *[play] * 9)
    left = iter([3.0] * 9)
    aws = AwsClients(aws_environ(lone_proxy.url), seconds_left=lambda: next(left, 0.0))
    told = None

    try:
        run(
            lambda: aws.client("dynamodb").get_item(TableName="t", Key={}),
            action="dynamodb:GetItem",
            kind="table",
            failure=StoreUnavailable,
        )
    except StoreUnavailable as failure:
        told = failure.reason

    assert (len(lone_proxy.calls), told) == (1, reason)


def test_a_broken_connection_is_tried_again_and_goes_unnoticed(lone_proxy):
    lone_proxy.plan(
        "GetItem", cut, failing("InternalServerError", 500), answering_json(Item={})
    )

    assert call(lone_proxy.url, seconds_left=60)["Item"] == {}


# who shares them


def test_adapters_of_one_process_share_one_client_of_each_service(lone_proxy):
    around = surroundings(lone_proxy.url)

    def ask(number: int) -> object:
        service = ("dynamodb", "sqs")[number % 2]
        return clients_of(around).client(service)

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(ask, range(32)))

    assert len(set(map(id, made))) == 2


def test_other_surroundings_have_other_clients_and_none_outlives_its_own(lone_proxy):
    around, other = surroundings(lone_proxy.url), surroundings(lone_proxy.url)
    known = len(clients._made)
    assert clients_of(around) is not clients_of(other)
    assert len(clients._made) == known + 2

    del around, other
    gc.collect()

    assert len(clients._made) <= known


def test_region_endpoint_and_credentials_come_from_the_surroundings(
    lone_proxy, monkeypatch
):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    environ = {
        **aws_environ("http://127.0.0.1:1"),
        "AWS_ENDPOINT_URL_DYNAMODB": lone_proxy.url,
        "AWS_SESSION_TOKEN": "session",
    }
    client = AwsClients(environ, seconds_left=endless).client("dynamodb")

    assert client.meta.region_name == REGION
    assert client.meta.endpoint_url == lone_proxy.url
    used = client._request_signer._credentials
    assert (used.access_key, used.token) == ("testing", "session")


@pytest.mark.parametrize(
    ("service", "variable"),
    [
        ("dynamodb", "AWS_ENDPOINT_URL_DYNAMODB"),
        ("events", "AWS_ENDPOINT_URL_EVENTBRIDGE"),
        ("secretsmanager", "AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        ("sqs", "AWS_ENDPOINT_URL_SQS"),
        ("ssm", "AWS_ENDPOINT_URL_SSM"),
    ],
)
def test_a_services_own_endpoint_goes_before_the_general_one(service, variable):
    own = "http://127.0.0.1:2"
    environ = {**aws_environ("http://127.0.0.1:1"), variable: own}

    client = AwsClients(environ, seconds_left=endless).client(service)

    assert client.meta.endpoint_url == own


@pytest.mark.parametrize("left", [0.95, 1.0, 3.4])
def test_an_attempt_near_the_end_gives_up_before_the_last_half_second(left, lone_proxy):
    aws = AwsClients(aws_environ(lone_proxy.url), seconds_left=lambda: left)
    lone_proxy.plan("GetItem", lambda *_: Event().wait(1) or None)

    config = aws.client("dynamodb").meta.config
    with pytest.raises(StoreUnavailable) as failure:
        call(lone_proxy.url, seconds_left=left)

    longest = config.connect_timeout + config.read_timeout
    assert longest <= left - LAST_SECONDS + 1e-9
    assert failure.value.reason == "ReadTimeoutError"
    assert len(lone_proxy.calls) == 1


@pytest.mark.parametrize("endpoint", ["nonsense", "http://canary.example"])
def test_an_endpoint_that_is_none_or_in_the_clear_is_named_by_its_variable(endpoint):
    with pytest.raises(SettingError) as failure:
        AwsClients(aws_environ(endpoint), seconds_left=endless).client("ssm")

    assert failure.value.variable == "AWS_ENDPOINT_URL"
    assert endpoint not in failure.value.why

"""AWS JSON calls: reasons of failures, retries, signing and shared clients."""

import base64
import gc
import json
import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Event
from time import monotonic

import pytest

from kycourier.adapters.aws import client
from kycourier.adapters.aws.client import MAX_BYTES, JsonClient, shared_client
from kycourier.adapters.aws.errors import AwsResponse, explain
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import run
from kycourier.core.errors import SettingError, StoreUnavailableError
from support.aws.aws_proxy import (
    AWS_MESSAGE,
    drop_call,
    json_response,
    respond,
    respond_error,
    respond_json,
)
from support.aws.clients import KEY_ID, REGION, aws_context, aws_environ
from support.fakes import START, FakeClock
from support.servers.hostile_server import (
    HostileServer,
    Peer,
    http_head,
    http_response,
    respond_once,
)

pytestmark = [pytest.mark.enable_socket]
CHUNKED = http_head("Transfer-Encoding: chunked")


def symbol(code: str) -> str:
    """Return the body of an error with this code."""
    return json.dumps({"__type": f"com.amazonaws.any#{code}", "message": AWS_MESSAGE})


def get_item(json_client: JsonClient) -> AwsResponse:
    """Read an item."""
    return run(
        lambda: json_client.call("GetItem", TableName="t", Key={"pk": {"S": "k"}}),
        action="dynamodb:GetItem",
        kind="table",
        explain=explain,
        failure=StoreUnavailableError,
    )


def call(url: str, *, seconds_left: float = 1) -> AwsResponse:
    """Read an item; one second left allows one attempt."""
    return get_item(shared_client("dynamodb", aws_context(url, left=seconds_left)))


def fail(url: str, *, seconds_left: float = 1) -> str:
    """Return why a call failed; assert that it chains no library exception."""
    with pytest.raises(StoreUnavailableError) as failure:
        call(url, seconds_left=seconds_left)
    assert failure.value.__context__ is None
    return failure.value.reason


# reasons of failures


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, symbol("AccessDeniedException"), "denied dynamodb:GetItem on a table"),
        (403, "", "denied dynamodb:GetItem on a table"),
        (400, symbol("ResourceNotFoundException"), "no such table in this region"),
        (400, symbol("ThrottlingException"), "throttled"),
        (400, symbol("ProvisionedThroughputExceededException"), "throttled"),
        (400, symbol("RequestLimitExceeded"), "throttled"),
        (400, symbol("UnrecognizedClientException"), "UnrecognizedClientException"),
        (400, symbol("ValidationException:http://a.com/#a"), "ValidationException"),
        (400, symbol(AWS_MESSAGE), "unreadable response"),
        (400, symbol("<html>"), "unreadable response"),
        (400, symbol(""), "unreadable response"),
        (400, '{"__type": 7}', "400"),
        (503, f"<html>{AWS_MESSAGE}</html>", "503"),
        (404, AWS_MESSAGE, "404"),
        (307, "{}", "307"),
        (200, AWS_MESSAGE, "unreadable response"),
        (200, "[]", "unreadable response"),
        (200, "[" * 100_000, "unreadable response"),
    ],
)
def test_status_and_error_code_become_a_reason_without_the_message(
    lone_proxy, status, body, reason
):
    lone_proxy.plan("GetItem", respond(status, body.encode()))

    assert fail(lone_proxy.url) == reason


def test_error_code_is_read_from_the_header(lone_proxy):
    header = ("x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/")
    lone_proxy.plan("GetItem", respond(400, b"", header))

    assert fail(lone_proxy.url) == "throttled"


@pytest.mark.parametrize(
    ("response", "seconds_left", "reason"),
    [
        (b"SSH-2.0-synthetic\r\n\r\n", 60, "unreadable response"),
        (http_response(b"{}", "Content-Encoding: gzip"), 60, "unreadable response"),
        (http_head(f"Content-Length: {MAX_BYTES + 1}"), 60, "unreadable response"),
        (http_response(b'{"Item": {}}')[:-3], 1, "no response"),
        (http_head("Content-Length: 40") + b"{}", 1, "no response"),
        (CHUNKED + b'a\r\n{"Item": {\r\n', 1, "no response"),
        (CHUNKED + b"2\r\n{}\r\n", 1, "no response"),
    ],
    ids=[
        *("another protocol", "compressed", "too large"),
        *("a short body", "less than Content-Length", "half a chunk", "no last chunk"),
    ],
)
def test_malformed_or_truncated_response_is_a_failure_without_a_retry(
    response, seconds_left, reason
):
    with closing(HostileServer(respond_once(response))) as server:
        assert fail(server.url, seconds_left=seconds_left) == reason
        assert server.connections == 1


# retries


@pytest.mark.parametrize(
    ("seconds_left", "attempts", "reason"),
    [
        (-1, 0, "no time left"),
        (0, 0, "no time left"),
        (0.99, 0, "no time left"),
        (1, 1, "no response"),
        (4.4, 1, "no response"),
        (4.5, 2, "no response"),
        (5.4, 2, "no response"),
        (5.5, 3, "no response"),
        (math.inf, 3, "no response"),
    ],
)
def test_attempts_depend_on_the_remaining_time(
    lone_proxy, seconds_left, attempts, reason
):
    lone_proxy.plan("GetItem", *[drop_call] * 4)

    assert fail(lone_proxy.url, seconds_left=seconds_left) == reason
    assert len(lone_proxy.calls) == attempts


@pytest.mark.parametrize(
    ("script", "attempts"),
    [
        (respond_error("ThrottlingException"), 3),
        (respond_error("Odd", 500), 3),
        (respond(503), 3),
        (respond_error("RequestTimeout"), 3),
        (respond_error("AccessDeniedException"), 1),
        (respond_error("ValidationException"), 1),
        (respond(200, b"<"), 1),
    ],
)
def test_only_transient_errors_are_retried(lone_proxy, script, attempts):
    lone_proxy.plan("GetItem", *[script] * 4)

    fail(lone_proxy.url, seconds_left=60)

    assert len(lone_proxy.calls) == attempts


def test_retry_pauses_have_full_jitter_up_to_one_then_two_seconds(lone_proxy):
    class Waits(FakeClock):
        def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    waits: list[float] = []
    client = shared_client("dynamodb", aws_context(lone_proxy.url, clock=Waits()))
    for _ in range(40):
        lone_proxy.plan("GetItem", respond(500), respond(500), respond_json())
        get_item(client)

    firsts, seconds = waits[::2], waits[1::2]
    assert all(0 <= each < 1 for each in firsts)
    assert all(0 <= each < 2 for each in seconds)
    assert max(seconds) > 1  # 40 draws from below one: once in 10¹² runs
    assert len(set(waits)) == len(waits)


def test_attempt_ends_before_the_last_half_second(lone_proxy):
    lone_proxy.plan("GetItem", lambda *_: Event().wait(1.2) or None)
    begun = monotonic()

    assert fail(lone_proxy.url, seconds_left=1.2) == "no response"

    assert monotonic() - begun < 1.2  # the response is not awaited
    assert len(lone_proxy.calls) == 1


def test_loading_credentials_counts_against_the_remaining_time(lone_proxy):
    left = [1.3]

    class SlowEnviron(dict):
        def get(self, name, default=None):
            if name == "AWS_SECRET_ACCESS_KEY":
                left[0] -= 0.5
            return super().get(name, default)

    context = AdapterContext(
        clock=FakeClock(),
        environ=SlowEnviron(aws_environ(lone_proxy.url)),
        seconds_left=lambda: left[0],
    )

    with pytest.raises(StoreUnavailableError, match="no time left"):
        get_item(shared_client("dynamodb", context))

    assert lone_proxy.calls == []


# what is sent


def test_call_is_signed_json_with_base64_bytes(lone_proxy):
    lone_proxy.plan("UpdateItem", respond_json(Attributes={}))
    tomorrow = FakeClock(START + timedelta(days=1))
    context = aws_context(lone_proxy.url, clock=tomorrow, AWS_SESSION_TOKEN="session")

    shared_client("dynamodb", context).call("UpdateItem", Key={"pk": {"B": b"\x00key"}})

    [sent] = lone_proxy.calls
    assert (sent.method, sent.path) == ("POST", "/")
    assert sent.json == {"Key": {"pk": {"B": base64.b64encode(b"\x00key").decode()}}}
    assert sent.headers["content-type"] == "application/x-amz-json-1.0"
    assert sent.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert sent.headers["x-amz-date"] == "20260102T000000Z"
    assert sent.headers["x-amz-security-token"] == "session"
    scope = f"{KEY_ID}/20260102/{REGION}/dynamodb/aws4_request"
    assert f"Credential={scope}," in sent.headers["authorization"]


def test_response_has_its_date_and_no_null_members(lone_proxy):
    lone_proxy.plan("GetItem", respond_json(Item=None, Items=[None]))

    response = call(lone_proxy.url)

    assert response == AwsResponse({"Items": [None]}, lone_proxy.date)


@pytest.mark.parametrize("kind", ["good", "expired", "elsewhere", "self_signed"])
def test_only_a_good_certificate_receives_a_request(certificates, kind):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_response())
        peer.pause()

    with closing(HostileServer(script, tls=getattr(certificates, kind))) as server:
        environ = {"SSL_CERT_FILE": certificates.authority}
        client = shared_client("dynamodb", aws_context(server.url, left=1, **environ))
        if kind == "good":
            assert get_item(client).members == {}
        else:
            with pytest.raises(StoreUnavailableError, match="unreachable"):
                get_item(client)
        assert len(server.requests) == (kind == "good")


# shared clients


def test_adapters_share_one_client_per_service(lone_proxy):
    context = aws_context(lone_proxy.url)

    def find(number: int) -> object:
        return shared_client(("dynamodb", "sqs")[number % 2], context)

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(find, range(32)))

    assert len(set(map(id, found))) == 2


def test_concurrent_threads_receive_their_own_responses(lone_proxy):
    """Even with more threads than kept connections."""
    lone_proxy.default_script = lambda call, _: json_response(call.json)
    client = shared_client("dynamodb", aws_context(lone_proxy.url))

    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda at: client.call("Any", At=at).members, range(400)))

    assert found == [{"At": at} for at in range(400)]
    assert len(client._http._idle) <= 40


def test_client_lives_as_long_as_its_context(lone_proxy):
    context, other = aws_context(lone_proxy.url), aws_context(lone_proxy.url)
    known = len(client._clients)
    assert shared_client("sqs", context) is not shared_client("sqs", other)
    assert len(client._clients) == known + 2

    del context, other
    gc.collect()

    assert len(client._clients) <= known


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
def test_service_endpoint_overrides_the_general_one(service, variable, lone_proxy):
    lone_proxy.plan("Any", respond_json(ok=True))
    context = aws_context("http://127.0.0.1:1", **{variable: lone_proxy.url})

    assert shared_client(service, context).call("Any").members == {"ok": True}


@pytest.mark.parametrize("endpoint", ["nonsense", "http://canary.example"])
def test_malformed_or_plain_http_endpoint_is_a_setting_error(endpoint):
    with pytest.raises(SettingError) as failure:
        shared_client("ssm", aws_context(endpoint))

    assert failure.value.variable == "AWS_ENDPOINT_URL"
    assert endpoint not in failure.value.code


def test_endpoint_may_have_a_path(lone_proxy):
    lone_proxy.plan("GetItem", respond_json())

    call(f"{lone_proxy.url}/behind/a/gateway")

    [sent] = lone_proxy.calls
    assert sent.path == "/behind/a/gateway"
    assert f"http://{sent.headers['host']}" == lone_proxy.url

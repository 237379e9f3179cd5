"""AWS JSON calls: reasons of failures, retries, signing and shared clients."""

import base64
import gc
import math
import sys
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
from kycourier.core.errors import (
    SettingError,
    SinkUnavailableError,
    StoreUnavailableError,
)
from kycourier.core.timing import ADAPTER_RESERVE_SECONDS
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
    closed_port,
    full_backlog_port,
    http_head,
    http_response,
    respond_once,
)

pytestmark = [pytest.mark.enable_socket]
SLOW = """
import time
time.sleep(0.5)
print('{"Version": 1, "AccessKeyId": "filed", "SecretAccessKey": "key"}')
"""


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


# reasons of failures


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AccessDeniedException", "denied dynamodb:GetItem on a table"),
        ("ResourceNotFoundException", "no such table in this region"),
        ("ThrottlingException", "throttled"),
        ("ProvisionedThroughputExceededException", "throttled"),
        ("RequestLimitExceeded", "throttled"),
        ("UnrecognizedClientException", "UnrecognizedClientException"),
        ("ValidationException:http://internal.amazon.com/#a", "ValidationException"),
        (AWS_MESSAGE, "unreadable response"),
        ("<html>", "unreadable response"),
        ("", "unreadable response"),
    ],
)
def test_error_code_becomes_a_reason_without_the_message(lone_proxy, code, reason):
    lone_proxy.plan("GetItem", respond_error(code))

    with pytest.raises(StoreUnavailableError) as failure:
        call(lone_proxy.url)

    assert failure.value.reason == reason
    assert failure.value.__context__ is None


@pytest.mark.parametrize("kind", ["parameter", "secret", "queue", "bus"])
def test_denied_call_names_action_and_resource_kind(lone_proxy, kind):
    lone_proxy.plan("GetItem", respond_error("AccessDeniedException"))
    client = shared_client("dynamodb", aws_context(lone_proxy.url))

    with pytest.raises(SinkUnavailableError, match=f"denied a:B on a {kind}$"):
        run(
            lambda: client.call("GetItem", TableName="t", Key={}),
            action="a:B",
            kind=kind,
            explain=explain,
            failure=SinkUnavailableError,
        )


def test_refused_connection_is_unreachable():
    with pytest.raises(StoreUnavailableError) as failure:
        call(f"http://127.0.0.1:{closed_port()}")

    assert failure.value.reason == "unreachable"
    assert failure.value.__context__ is None


def test_hanging_connect_is_no_answer():
    with full_backlog_port() as port, pytest.raises(StoreUnavailableError) as failure:
        call(f"http://127.0.0.1:{port}")

    assert failure.value.reason == "no response"


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (503, f"<html>{AWS_MESSAGE}</html>", "503"),
        (404, AWS_MESSAGE, "404"),
        (403, "", "denied dynamodb:GetItem on a table"),
        (307, "{}", "307"),
        (200, AWS_MESSAGE, "unreadable response"),
        (200, "[]", "unreadable response"),
        (200, "[" * 100_000, "unreadable response"),
        (400, '{"__type": 7}', "400"),
    ],
)
def test_foreign_response_is_a_failure(lone_proxy, status, text, reason):
    lone_proxy.plan("GetItem", respond(status, text.encode()))

    with pytest.raises(StoreUnavailableError) as failure:
        call(lone_proxy.url)

    assert failure.value.reason == reason
    assert failure.value.__context__ is None


@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-synthetic\r\n\r\n",
        http_response(b"{}", "Content-Encoding: gzip"),
        http_head(f"Content-Length: {MAX_BYTES + 1}"),
    ],
)
def test_unreadable_response_is_not_retried(response):
    with closing(HostileServer(respond_once(response))) as server:
        with pytest.raises(StoreUnavailableError) as failure:
            call(server.url, seconds_left=60)

        assert failure.value.reason == "unreadable response"
        assert failure.value.__context__ is None
        assert server.connections == 1


def test_error_code_is_read_from_the_header(lone_proxy):
    header = ("x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/")
    lone_proxy.plan("GetItem", respond(400, b"", header))

    with pytest.raises(StoreUnavailableError, match="throttled"):
        call(lone_proxy.url)


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
    lone_proxy.plan("GetItem", drop_call, drop_call, drop_call, drop_call)

    with pytest.raises(StoreUnavailableError) as failure:
        call(lone_proxy.url, seconds_left=seconds_left)

    assert failure.value.reason == reason
    assert failure.value.__context__ is None
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

    with pytest.raises(StoreUnavailableError):
        call(lone_proxy.url, seconds_left=60)

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


def test_no_retry_starts_without_remaining_time(lone_proxy):
    left = iter([10.0, 10.0, 0.0])
    environ = aws_environ(lone_proxy.url)
    context = AdapterContext(
        clock=FakeClock(), environ=environ, seconds_left=lambda: next(left)
    )
    lone_proxy.plan("GetItem", drop_call, drop_call)

    with pytest.raises(StoreUnavailableError, match="no time left"):
        get_item(shared_client("dynamodb", context))

    assert len(lone_proxy.calls) == 1


def test_dropped_connection_is_retried_to_success(lone_proxy):
    lone_proxy.plan(
        "GetItem",
        drop_call,
        respond_error("InternalServerError", 500),
        respond_json(Item={}),
    )

    assert call(lone_proxy.url, seconds_left=60).members == {"Item": {}}


@pytest.mark.parametrize("left", [1.0, 1.2])
def test_attempt_ends_before_the_last_half_second(left, lone_proxy):
    clock = FakeClock()
    lone_proxy.plan("GetItem", lambda *_: Event().wait(left) or None)
    begun = monotonic()

    with pytest.raises(StoreUnavailableError, match="no response"):
        get_item(
            shared_client(
                "dynamodb", aws_context(lone_proxy.url, clock=clock, left=left)
            )
        )

    assert monotonic() - begun < left  # the response is not awaited
    assert len(lone_proxy.calls) == 1
    assert left - ADAPTER_RESERVE_SECONDS > 0


def test_loading_credentials_counts_against_the_remaining_time(
    lone_proxy, monkeypatch, tmp_path
):
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "config").write_text(
        f"[default]\ncredential_process = {sys.executable} {tmp_path / 'slow.py'}\n"
    )
    ends_at = monotonic() + 1.3
    context = AdapterContext(
        clock=FakeClock(),
        environ={"AWS_REGION": REGION, "AWS_ENDPOINT_URL": lone_proxy.url},
        seconds_left=lambda: ends_at - monotonic(),
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


def test_response_carries_its_date(lone_proxy):
    lone_proxy.plan("GetItem", respond_json())

    assert call(lone_proxy.url).date == lone_proxy.date


def test_null_member_is_absent(lone_proxy):
    lone_proxy.plan("GetItem", respond_json(Item=None, Items=[None]))

    assert call(lone_proxy.url).members == {"Items": [None]}


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        ("good", "{}"),
        ("expired", "unreachable"),
        ("elsewhere", "unreachable"),
        ("self_signed", "unreachable"),
    ],
)
def test_bad_certificate_receives_no_request(certificates, kind, outcome):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_response())
        peer.pause()

    with closing(HostileServer(script, tls=getattr(certificates, kind))) as server:
        environ = {"SSL_CERT_FILE": certificates.authority}
        client = shared_client("dynamodb", aws_context(server.url, left=1, **environ))
        try:
            found = str(dict(get_item(client).members))
        except StoreUnavailableError as failure:
            found = failure.reason

        assert found == outcome
        assert len(server.requests) == (kind == "good")


# shared clients


def test_adapters_share_one_client_per_service(lone_proxy):
    context = aws_context(lone_proxy.url)

    def find(number: int) -> object:
        return shared_client(("dynamodb", "sqs")[number % 2], context)

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(find, range(32)))

    assert len(set(map(id, made))) == 2


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


@pytest.mark.parametrize(
    "response",
    [
        http_response(b'{"Item": {}}')[:-3],
        http_head("Content-Type: application/json", "Content-Length: 40") + b"{}",
        http_head("Transfer-Encoding: chunked") + b'a\r\n{"Item": {\r\n',
        http_head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n",
    ],
    ids=["a short body", "less than Content-Length", "half a chunk", "no last chunk"],
)
def test_truncated_response_is_no_answer(response):
    with closing(HostileServer(respond_once(response))) as server:
        with pytest.raises(StoreUnavailableError, match="no response"):
            call(server.url)
        assert server.connections == 1

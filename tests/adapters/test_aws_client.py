"""Calls of AWS: how failures are named, how long is tried, and who shares what."""

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

from aws.access import KEY_ID, REGION, aws_environ, surroundings
from aws.proxy import (
    SAID,
    answer_json,
    answering,
    answering_json,
    cut,
    failing,
)
from fakes import START, FakeClock
from hostile import (
    HostileServer,
    Peer,
    head,
    once,
    refusing_port,
    reply,
    unaccepting_port,
)
from kycourier.adapters.aws import client
from kycourier.adapters.aws.calls import AwsAnswer, run
from kycourier.adapters.aws.client import (
    LAST_SECONDS,
    MOST_BYTES,
    JsonClient,
    client_of,
)
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import (
    SettingError,
    SinkUnavailable,
    StoreUnavailable,
)

pytestmark = [pytest.mark.enable_socket]
SLOW = """
import time
time.sleep(0.5)
print('{"Version": 1, "AccessKeyId": "filed", "SecretAccessKey": "key"}')
"""


def ask(asked: JsonClient) -> AwsAnswer:
    """Read an item."""
    return run(
        lambda: asked.ask("GetItem", TableName="t", Key={"pk": {"S": "k"}}),
        action="dynamodb:GetItem",
        kind="table",
        failure=StoreUnavailable,
    )


def call(url: str, *, seconds_left: float = 1) -> AwsAnswer:
    """Read an item; one second left allows one attempt."""
    return ask(client_of("dynamodb", surroundings(url, left=seconds_left)))


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
        ("ValidationException:http://internal.amazon.com/#a", "ValidationException"),
        (SAID, "unreadable answer"),
        ("<html>", "unreadable answer"),
        ("", "unreadable answer"),
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
    asked = client_of("dynamodb", surroundings(lone_proxy.url))

    with pytest.raises(SinkUnavailable, match=f"denied a:B on a {kind}$"):
        run(
            lambda: asked.ask("GetItem", TableName="t", Key={}),
            action="a:B",
            kind=kind,
            failure=SinkUnavailable,
        )


def test_nobody_there_is_unreachable():
    with pytest.raises(StoreUnavailable) as failure:
        call(f"http://127.0.0.1:{refusing_port()}")

    assert failure.value.reason == "unreachable"
    assert failure.value.__context__ is None


def test_an_endpoint_that_does_not_accept_is_given_up():
    with unaccepting_port() as port, pytest.raises(StoreUnavailable) as failure:
        call(f"http://127.0.0.1:{port}")

    assert failure.value.reason == "no answer"


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (503, f"<html>{SAID}</html>", "503"),
        (404, SAID, "404"),
        (403, "", "denied dynamodb:GetItem on a table"),
        (307, "{}", "307"),
        (200, SAID, "unreadable answer"),
        (200, "[]", "unreadable answer"),
        (200, "[" * 100_000, "unreadable answer"),
        (400, '{"__type": 7}', "400"),
    ],
)
def test_an_answer_that_is_not_dynamodbs_is_a_failure(lone_proxy, status, text, reason):
    lone_proxy.plan("GetItem", answering(status, text.encode()))

    with pytest.raises(StoreUnavailable) as failure:
        call(lone_proxy.url)

    assert failure.value.reason == reason
    assert failure.value.__context__ is None


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-synthetic\r\n\r\n",
        reply(b"{}", "Content-Encoding: gzip"),
        head(f"Content-Length: {MOST_BYTES + 1}"),
    ],
)
def test_who_does_not_speak_as_aws_does_is_not_asked_again(said):
    with closing(HostileServer(once(said))) as server:
        with pytest.raises(StoreUnavailable) as failure:
            call(server.url, seconds_left=60)

        assert failure.value.reason == "unreadable answer"
        assert failure.value.__context__ is None
        assert server.connections == 1


def test_a_symbol_that_stands_in_the_head_alone_is_read_there(lone_proxy):
    head = ("x-amzn-ErrorType", "ThrottlingException:http://internal.amazon.com/")
    lone_proxy.plan("GetItem", answering(400, b"", head))

    with pytest.raises(StoreUnavailable, match="throttled"):
        call(lone_proxy.url)


# how long is tried


@pytest.mark.parametrize(
    ("seconds_left", "attempts", "reason"),
    [
        (-1, 0, "no time left"),
        (0, 0, "no time left"),
        (0.99, 0, "no time left"),
        (1, 1, "no answer"),
        (4.4, 1, "no answer"),
        (4.5, 2, "no answer"),
        (5.4, 2, "no answer"),
        (5.5, 3, "no answer"),
        (math.inf, 3, "no answer"),
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


@pytest.mark.parametrize(
    ("play", "attempts"),
    [
        (failing("ThrottlingException"), 3),
        (failing("Odd", 500), 3),
        (answering(503), 3),
        (failing("RequestTimeout"), 3),
        (failing("AccessDeniedException"), 1),
        (failing("ValidationException"), 1),
        (answering(200, b"<"), 1),
    ],
)
def test_only_what_may_go_through_is_tried_again(lone_proxy, play, attempts):
    lone_proxy.plan("GetItem", *[play] * 4)

    with pytest.raises(StoreUnavailable):
        call(lone_proxy.url, seconds_left=60)

    assert len(lone_proxy.calls) == attempts


def test_pauses_between_attempts_are_drawn_from_one_second_then_from_two(lone_proxy):
    class Waits(FakeClock):
        def sleep(self, seconds: float) -> None:
            waits.append(seconds)

    waits: list[float] = []
    asked = client_of("dynamodb", surroundings(lone_proxy.url, clock=Waits()))
    for _ in range(40):
        lone_proxy.plan("GetItem", answering(500), answering(500), answering_json())
        ask(asked)

    firsts, seconds = waits[::2], waits[1::2]
    assert all(0 <= each < 1 for each in firsts)
    assert all(0 <= each < 2 for each in seconds)
    assert max(seconds) > 1  # 40 draws from below one: once in 10¹² runs
    assert len(set(waits)) == len(waits)


def test_time_that_runs_out_between_two_attempts_ends_them(lone_proxy):
    left = iter([10.0, 10.0, 0.0])
    environ = aws_environ(lone_proxy.url)
    around = Surroundings(
        clock=FakeClock(), environ=environ, seconds_left=lambda: next(left)
    )
    lone_proxy.plan("GetItem", cut, cut)

    with pytest.raises(StoreUnavailable, match="no time left"):
        ask(client_of("dynamodb", around))

    assert len(lone_proxy.calls) == 1


def test_a_broken_connection_is_tried_again_and_goes_unnoticed(lone_proxy):
    lone_proxy.plan(
        "GetItem", cut, failing("InternalServerError", 500), answering_json(Item={})
    )

    assert call(lone_proxy.url, seconds_left=60).members == {"Item": {}}


@pytest.mark.parametrize("left", [1.0, 1.2])
def test_an_attempt_near_the_end_gives_up_before_the_last_half_second(left, lone_proxy):
    clock = FakeClock()
    lone_proxy.plan("GetItem", lambda *_: Event().wait(left) or None)
    begun = monotonic()

    with pytest.raises(StoreUnavailable, match="no answer"):
        ask(client_of("dynamodb", surroundings(lone_proxy.url, clock=clock, left=left)))

    assert monotonic() - begun < left  # the stand-in's answer is not waited for
    assert len(lone_proxy.calls) == 1
    assert left - LAST_SECONDS > 0


def test_the_wait_for_credentials_is_of_the_invocations_time(
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
    around = Surroundings(
        clock=FakeClock(),
        environ={"AWS_REGION": REGION, "AWS_ENDPOINT_URL": lone_proxy.url},
        seconds_left=lambda: ends_at - monotonic(),
    )

    with pytest.raises(StoreUnavailable, match="no time left"):
        ask(client_of("dynamodb", around))

    assert lone_proxy.calls == []


# what is sent


def test_a_call_is_jsons_with_bytes_as_base64_signed_at_the_clocks_time(lone_proxy):
    lone_proxy.plan("UpdateItem", answering_json(Attributes={}))
    tomorrow = FakeClock(START + timedelta(days=1))
    around = surroundings(lone_proxy.url, clock=tomorrow, AWS_SESSION_TOKEN="session")

    client_of("dynamodb", around).ask("UpdateItem", Key={"pk": {"B": b"\x00key"}})

    [sent] = lone_proxy.calls
    assert (sent.method, sent.path) == ("POST", "/")
    assert sent.json == {"Key": {"pk": {"B": base64.b64encode(b"\x00key").decode()}}}
    assert sent.headers["content-type"] == "application/x-amz-json-1.0"
    assert sent.headers["x-amz-target"] == "DynamoDB_20120810.UpdateItem"
    assert sent.headers["x-amz-date"] == "20260102T000000Z"
    assert sent.headers["x-amz-security-token"] == "session"
    scope = f"{KEY_ID}/20260102/{REGION}/dynamodb/aws4_request"
    assert f"Credential={scope}," in sent.headers["authorization"]


def test_an_answer_tells_its_date(lone_proxy):
    lone_proxy.plan("GetItem", answering_json())

    assert call(lone_proxy.url).date == lone_proxy.date


def test_a_member_that_is_null_is_absent(lone_proxy):
    lone_proxy.plan("GetItem", answering_json(Item=None, Items=[None]))

    assert call(lone_proxy.url).members == {"Items": [None]}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("good", "{}"),
        ("expired", "unreachable"),
        ("elsewhere", "unreachable"),
        ("self_signed", "unreachable"),
    ],
)
def test_over_tls_nothing_is_said_to_a_certificate_that_is_not_good(
    certificates, kind, told
):
    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(reply())
        peer.pause()

    with closing(HostileServer(play, tls=getattr(certificates, kind))) as server:
        environ = {"SSL_CERT_FILE": certificates.authority}
        asked = client_of("dynamodb", surroundings(server.url, left=1, **environ))
        try:
            answer = str(dict(ask(asked).members))
        except StoreUnavailable as failure:
            answer = failure.reason

        assert answer == told
        assert len(server.requests) == (kind == "good")


# who shares them


def test_adapters_of_one_process_share_one_client_of_each_service(lone_proxy):
    around = surroundings(lone_proxy.url)

    def find(number: int) -> object:
        return client_of(("dynamodb", "sqs")[number % 2], around)

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(find, range(32)))

    assert len(set(map(id, made))) == 2


def test_threads_share_its_connections_and_each_has_its_own_answer(lone_proxy):
    """Though they are more than connections are kept."""
    lone_proxy.otherwise = lambda call, _: answer_json(call.json)
    asked = client_of("dynamodb", surroundings(lone_proxy.url))

    with ThreadPoolExecutor(40) as pool:
        told = list(pool.map(lambda at: asked.ask("Any", At=at).members, range(400)))

    assert told == [{"At": at} for at in range(400)]
    assert len(asked._exchanges._idle) <= 40


def test_other_surroundings_have_other_clients_and_none_outlives_its_own(lone_proxy):
    around, other = surroundings(lone_proxy.url), surroundings(lone_proxy.url)
    known = len(client._made)
    assert client_of("sqs", around) is not client_of("sqs", other)
    assert len(client._made) == known + 2

    del around, other
    gc.collect()

    assert len(client._made) <= known


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
def test_a_services_own_endpoint_goes_before_the_general_one(
    service, variable, lone_proxy
):
    lone_proxy.plan("Any", answering_json(told=True))
    around = surroundings("http://127.0.0.1:1", **{variable: lone_proxy.url})

    assert client_of(service, around).ask("Any").members == {"told": True}


@pytest.mark.parametrize("endpoint", ["nonsense", "http://canary.example"])
def test_an_endpoint_that_is_none_or_in_the_clear_is_named_by_its_variable(endpoint):
    with pytest.raises(SettingError) as failure:
        client_of("ssm", surroundings(endpoint))

    assert failure.value.variable == "AWS_ENDPOINT_URL"
    assert endpoint not in failure.value.why


def test_an_endpoint_may_have_a_path_and_its_host_and_path_are_signed(lone_proxy):
    lone_proxy.plan("GetItem", answering_json())

    call(f"{lone_proxy.url}/behind/a/gateway")

    [sent] = lone_proxy.calls
    assert sent.path == "/behind/a/gateway"
    assert f"http://{sent.headers['host']}" == lone_proxy.url


@pytest.mark.parametrize(
    "spoken",
    [
        reply(b'{"Item": {}}')[:-3],
        head("Content-Type: application/json", "Content-Length: 40") + b"{}",
        head("Transfer-Encoding: chunked") + b'a\r\n{"Item": {\r\n',
        head("Transfer-Encoding: chunked") + b"2\r\n{}\r\n",
    ],
    ids=["a short body", "less than was said", "half a chunk", "no last chunk"],
)
def test_an_answer_that_ends_too_early_is_none_however_its_length_is_told(spoken):
    with closing(HostileServer(once(spoken))) as server:
        with pytest.raises(StoreUnavailable, match="no answer"):
            call(server.url)
        assert server.connections == 1

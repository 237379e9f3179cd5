"""No secret of a query reaches a log, an output or an error, whatever is set."""

import contextlib
import http.client
import logging
import subprocess
import sys
import traceback
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest
import requests

from certificates import Certificates
from hostile import (
    HostileServer,
    Peer,
    Play,
    answering,
    chunks,
    head,
    once,
    refusing_port,
    reply,
    unaccepting_port,
)
from kyc_client import CAP, PATH, talking
from kycourier.adapters import http_session
from kycourier.adapters.kyc_http import KycHttp
from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.hidden import Query
from kycourier.core.models import KycRequest
from loud import Records, listening

pytestmark = pytest.mark.enable_socket

CANARIES = ("canary-Secret/+ü&0", "canaryTicket0123456789")
REQUEST = KycRequest(
    path=PATH, query=Query((("secret", CANARIES[0]), ("sign", CANARIES[1])))
)
LOGGERS = ("", *http_session.LOUD_LOGGERS)


def leaks(text: str) -> list[str]:
    """Name the spellings of canaries in a text."""
    spellings = set(CANARIES)
    spellings |= {spell(one) for one in CANARIES for spell in (quote, quote_plus)}
    spellings |= {ascii(one)[1:-1] for one in CANARIES}
    return [one for one in spellings if one in text]


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    """Listen at DEBUG to the root and to each of the libraries' loggers itself."""
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with listening(http_session.LOUD_LOGGERS) as records:
        yield records


def ask(transport: KycHttp, *, seconds: float = 2.0) -> list[str]:
    """Make the call and give all that its outcome shows."""
    try:
        got = transport.send(REQUEST, timeout_seconds=seconds)
    except UpstreamUnreachable as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return ["failed", str(error), repr(error), repr(vars(error)), *shown.format()]
    return ["replied", repr(got), str(got)]


def closing_kept() -> Play:
    def play(peer: Peer) -> None:
        peer.hear()
        peer.send(reply())
        peer.hear()

    return play


REPLIES = {
    "reply": answering(reply()),
    "error": answering(reply(status="500 Oops")),
    "redirect": once(reply(b"", "Location: /next", status="302 Found")),
    "dead kept connection": closing_kept(),
    "closed kept connection": once(reply()),
    "two lengths": once(head("Content-Length: 5", "Transfer-Encoding: chunked")
                        + chunks(b"{}", b"")),
}  # fmt: skip
FAILURES = {
    "reset": once(b""),
    "not http": once(b"SSH-2.0\r\n\r\n"),
    "malformed header": once(head("no colon")),
    "short body": once(reply(b"{}")[:-1]),
    "large": once(head(f"Content-Length: {CAP + 1}")),
    "encoded": once(head("Content-Encoding: gzip")),
    "bad chunk": once(head("Transfer-Encoding: chunked") + b"zz\r\n"),
    "timeout": lambda peer: peer.pause(),
}


def assert_silent(
    outcome: list[str], records: Records, capture: pytest.CaptureFixture[str]
) -> None:
    out, err = capture.readouterr()
    for text in (*outcome, *records.texts, out, err):
        assert leaks(text) == []
    assert records.texts == []
    assert (out, err) == ("", "")


@pytest.mark.parametrize("kind", REPLIES)
def test_a_reply_leaves_no_trace_of_the_query(
    kind: str, records: Records, capfd: pytest.CaptureFixture[str]
) -> None:
    with talking(REPLIES[kind], connections=1) as talk:
        outcome = [*ask(talk.transport), *ask(talk.transport)]
    assert "failed" not in outcome
    assert_silent(outcome, records, capfd)


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failure_leaves_no_trace_of_the_query(
    kind: str, records: Records, capfd: pytest.CaptureFixture[str]
) -> None:
    with talking(FAILURES[kind]) as talk:
        outcome = ask(talk.transport, seconds=0.3)
    assert "replied" not in outcome
    assert_silent(outcome, records, capfd)


def test_a_bad_certificate_leaves_no_trace_of_the_query(
    certificates: Certificates, records: Records, capfd: pytest.CaptureFixture[str]
) -> None:
    with talking(answering(reply()), tls=certificates.self_signed) as talk:
        outcome = ask(talk.transport)
    assert outcome[1] == "upstream_unreachable: tls"
    assert_silent(outcome, records, capfd)


def test_no_connection_leaves_no_trace_of_the_query(
    records: Records, capfd: pytest.CaptureFixture[str]
) -> None:
    outcome: list[str] = []
    with unaccepting_port() as port:
        for url in (
            f"http://127.0.0.1:{port}",
            f"http://127.0.0.1:{refusing_port()}",
            "http://a..test",
        ):
            transport = KycHttp(url, connections=1, max_reply_bytes=CAP)
            outcome += ask(transport, seconds=0.2)
    assert "replied" not in outcome
    assert_silent(outcome, records, capfd)


@pytest.mark.tells_secrets
def test_the_scan_finds_what_the_libraries_write_on_their_own(
    records: Records,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in LOGGERS:
        monkeypatch.setattr(logging.getLogger(name), "filters", [])
    params = dict(REQUEST.query.reveal())
    with contextlib.closing(HostileServer(answering(reply()))) as server:
        requests.get(server.url + PATH, params=params, timeout=2)
    assert any(map(leaks, records.texts))
    assert leaks(capfd.readouterr().out)
    url = f"http://127.0.0.1:{refusing_port()}{PATH}"
    with pytest.raises(requests.ConnectionError) as caught:
        requests.get(url, params=params, timeout=2)
    assert leaks(str(caught.value))


LATE = """
import logging.config, sys
from kycourier.adapters.http_session import LOUD_LOGGERS
from kycourier.adapters.kyc_http import KycHttp
from kycourier.core.hidden import Query
from kycourier.core.models import KycRequest

transport = KycHttp(sys.argv[1], connections=1, max_reply_bytes=1000)
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"out": {"class": "logging.StreamHandler"}},
    "root": {"level": "DEBUG", "handlers": ["out"]},
    "loggers": {name: {"level": "DEBUG", "handlers": ["out"]} for name in LOUD_LOGGERS},
})
request = KycRequest(path="/", query=Query((("secret", "canary"),)))
print(transport.send(request, timeout_seconds=2).status)
"""


def test_logging_that_is_configured_later_stays_silent_too() -> None:
    with contextlib.closing(HostileServer(answering(reply()))) as server:
        assert run(LATE, server.url) == "200"
    assert b"canary" in server.requests[0]


def run(program: str, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=30,
    )
    return ended.stdout.strip()


def test_importing_silences_nothing_and_silencing_twice_is_silencing_once() -> None:
    program = """
import logging
from kycourier.adapters import http_session
print([n for n in http_session.LOUD_LOGGERS if logging.getLogger(n).filters])
http_session.silence_libraries()
http_session.silence_libraries()
print({len(logging.getLogger(n).filters) for n in http_session.LOUD_LOGGERS})
"""
    assert run(program).splitlines() == ["[]", "{1}"]


def test_every_logger_of_the_libraries_is_silenced() -> None:
    program = """
import logging
from kycourier.adapters import http_session
names = {name for name, logger in logging.root.manager.loggerDict.items()
         if isinstance(logger, logging.Logger)}
print({name for name in names - set(http_session.LOUD_LOGGERS)
       if name.split(".")[0] in ("requests", "urllib3", "http")})
"""
    assert run(program) == "set()"

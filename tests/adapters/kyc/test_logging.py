"""No secret of a query reaches a log, an output or an error."""

import contextlib
import http.client
import subprocess
import sys
import traceback
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import pytest

from kycourier.adapters.http import sessions
from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.core.errors import TransportError
from kycourier.core.redaction import Query
from kycourier.core.wire.messages import KycRequest
from support.leaks.log_capture import LogCapture, capture_logs
from support.rigs.kyc_rig import MAX_REPLY_BYTES, PATH, open_kyc_rig
from support.servers.certificates import Certificates
from support.servers.hostile_server import (
    HostileServer,
    Peer,
    Script,
    closed_port,
    full_backlog_port,
    http_chunks,
    http_head,
    http_response,
    respond_always,
    respond_once,
)

pytestmark = pytest.mark.enable_socket

CANARIES = ("canary-Secret/+ü&0", "canaryTicket0123456789")
REQUEST = KycRequest(
    path=PATH, query=Query((("secret", CANARIES[0]), ("sign", CANARIES[1])))
)
LOGGERS = ("", *sessions.NOISY_LOGGERS)


def leaks(text: str) -> list[str]:
    """Return the spellings of canaries that a text contains."""
    spellings = set(CANARIES)
    spellings |= {spell(one) for one in CANARIES for spell in (quote, quote_plus)}
    spellings |= {ascii(one)[1:-1] for one in CANARIES}
    return [one for one in spellings if one in text]


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[LogCapture]:
    """Capture the root logger and the libraries' loggers from DEBUG."""
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with capture_logs(sessions.NOISY_LOGGERS) as records:
        yield records


def outcome_of(transport: HttpKycTransport, *, seconds: float = 2.0) -> list[str]:
    """Send the query; return every text form of its outcome."""
    try:
        got = transport.send(REQUEST, timeout_seconds=seconds)
    except TransportError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return ["failed", str(error), repr(error), repr(vars(error)), *shown.format()]
    return ["replied", repr(got), str(got)]


def closing_kept() -> Script:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_response())
        peer.read_request()

    return script


REPLIES = {
    "reply": respond_always(http_response()),
    "error": respond_always(http_response(status="500 Oops")),
    "redirect": respond_once(http_response(b"", "Location: /next", status="302 Found")),
    "dead kept connection": closing_kept(),
    "closed kept connection": respond_once(http_response()),
    "two lengths": respond_once(
        http_head("Content-Length: 5", "Transfer-Encoding: chunked")
        + http_chunks(b"{}", b"")
    ),
}  # fmt: skip
FAILURES = {
    "reset": respond_once(b""),
    "not http": respond_once(b"SSH-2.0\r\n\r\n"),
    "malformed header": respond_once(http_head("no colon")),
    "short body": respond_once(http_response(b"{}")[:-1]),
    "large": respond_once(http_head(f"Content-Length: {MAX_REPLY_BYTES + 1}")),
    "encoded": respond_once(http_head("Content-Encoding: gzip")),
    "bad chunk": respond_once(http_head("Transfer-Encoding: chunked") + b"zz\r\n"),
    "timeout": lambda peer: peer.pause(),
}


def assert_no_trace(
    outcome: list[str], records: LogCapture, capture: pytest.CaptureFixture[str]
) -> None:
    out, err = capture.readouterr()
    for text in (*outcome, *records.texts, out, err):
        assert leaks(text) == []
    assert records.texts == []
    assert (out, err) == ("", "")


@pytest.mark.parametrize("kind", REPLIES)
def test_reply_logs_nothing_of_the_query(
    kind: str, records: LogCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_kyc_rig(REPLIES[kind], connections=1) as rig:
        outcome = [*outcome_of(rig.transport), *outcome_of(rig.transport)]
    assert "failed" not in outcome
    assert_no_trace(outcome, records, capfd)


@pytest.mark.parametrize("kind", FAILURES)
def test_failure_exposes_nothing_of_the_query(
    kind: str, records: LogCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_kyc_rig(FAILURES[kind]) as rig:
        outcome = outcome_of(rig.transport, seconds=0.3)
    assert "replied" not in outcome
    assert_no_trace(outcome, records, capfd)


def test_bad_certificate_exposes_nothing_of_the_query(
    certificates: Certificates, records: LogCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_kyc_rig(
        respond_always(http_response()), tls=certificates.self_signed
    ) as rig:
        outcome = outcome_of(rig.transport)
    assert outcome[1] == "upstream_unreachable: tls"
    assert_no_trace(outcome, records, capfd)


def test_failed_connect_exposes_nothing_of_the_query(
    records: LogCapture, capfd: pytest.CaptureFixture[str]
) -> None:
    outcome: list[str] = []
    with full_backlog_port() as port:
        for url in (
            f"http://127.0.0.1:{port}",
            f"http://127.0.0.1:{closed_port()}",
            "http://a..test",
        ):
            transport = HttpKycTransport(
                url, connections=1, max_reply_bytes=MAX_REPLY_BYTES
            )
            outcome += outcome_of(transport, seconds=0.2)
    assert "replied" not in outcome
    assert_no_trace(outcome, records, capfd)


CONFIGURES_LATER = """
import logging.config, sys
from kycourier.adapters.http.sessions import NOISY_LOGGERS
from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.core.redaction import Query
from kycourier.core.documents.recognition import KycRequest

transport = HttpKycTransport(sys.argv[1], connections=1, max_reply_bytes=1000)
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"out": {"class": "logging.StreamHandler"}},
    "root": {"level": "DEBUG", "handlers": ["out"]},
    "loggers": {
        name: {"level": "DEBUG", "handlers": ["out"]} for name in NOISY_LOGGERS
    },
})
request = KycRequest(path="/", query=Query((("secret", "canary"),)))
print(transport.send(request, timeout_seconds=2).status)
"""


def test_logging_configured_later_stays_muted() -> None:
    with contextlib.closing(HostileServer(respond_always(http_response()))) as server:
        assert run(CONFIGURES_LATER, server.url) == "200"
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


def test_muting_happens_on_call_and_is_idempotent() -> None:
    program = """
import logging
from kycourier.adapters.http import sessions
print([n for n in sessions.NOISY_LOGGERS if logging.getLogger(n).filters])
sessions.mute_http_libraries()
sessions.mute_http_libraries()
print({len(logging.getLogger(n).filters) for n in sessions.NOISY_LOGGERS})
"""
    assert run(program).splitlines() == ["[]", "{1}"]


def test_every_library_logger_is_muted() -> None:
    program = """
import logging
from kycourier.adapters.http import sessions
names = {name for name, logger in logging.root.manager.loggerDict.items()
         if isinstance(logger, logging.Logger)}
print({name for name in names - set(sessions.NOISY_LOGGERS)
       if name.split(".")[0] in ("requests", "urllib3", "http")})
"""
    assert run(program) == "set()"

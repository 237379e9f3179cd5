"""No secret of a query reaches a log, an output or an error."""

import contextlib
import http.client
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

import pytest

from kycourier.adapters.http import sessions
from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.core.errors import TransportError
from kycourier.core.redaction import Query
from kycourier.core.wire.messages import KycRequest
from support.leaks.log_capture import LogCapture, capture_logs
from support.rigs.kyc_rig import (
    MAX_REPLY_BYTES,
    PATH,
    RESPOND,
    build_transport,
    open_kyc_rig,
)
from support.servers.certificates import Certificates
from support.servers.hostile_server import (
    HostileServer,
    Peer,
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
SPELLINGS = {
    spell(one)
    for one in CANARIES
    for spell in (str, quote, quote_plus, lambda text: ascii(text)[1:-1])
}


def outcome_of(transport: HttpKycTransport, *, seconds: float = 2.0) -> list[str]:
    """Send the query; return every text form of its outcome."""
    try:
        got = transport.send(REQUEST, timeout_seconds=seconds)
    except TransportError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        return ["failed", str(error), repr(error), repr(vars(error)), *shown.format()]
    return ["replied", repr(got), str(got)]


@pytest.fixture
def check(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[[list[str], str], None]]:
    """Return a check that an outcome, all loggers from DEBUG and the output are clean.

    Loggers and output must be empty, and every call must have ended as expected.
    """
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with capture_logs(sessions.NOISY_LOGGERS) as records:

        def check(outcome: list[str], expected: str) -> None:
            found = [one for text in outcome for one in SPELLINGS if one in text]
            assert found == []
            assert {"failed", "replied"} & {*outcome} == {expected}
            assert_silent(records, capfd)

        yield check


def assert_silent(records: LogCapture, capfd: pytest.CaptureFixture[str]) -> None:
    assert records.texts == []
    assert tuple(capfd.readouterr()) == ("", "")


def closing_kept(peer: Peer) -> None:
    peer.read_request()
    peer.send(http_response())
    peer.read_request()


REPLIES = {
    "reply": RESPOND,
    "error": respond_always(http_response(status="500 Oops")),
    "redirect": respond_once(http_response(b"", "Location: /next", status="302 Found")),
    "dead kept connection": closing_kept,
    "closed kept connection": respond_once(http_response()),
    "two lengths": respond_once(
        http_head("Content-Length: 5", "Transfer-Encoding: chunked")
        + http_chunks(b"{}", b"")
    ),
}
FAILURES = {
    "connection_reset": respond_once(b""),
    "not http": respond_once(b"SSH-2.0\r\n\r\n"),
    "malformed header": respond_once(http_head("no colon")),
    "short body": respond_once(http_response(b"{}")[:-1]),
    "large": respond_once(http_head(f"Content-Length: {MAX_REPLY_BYTES + 1}")),
    "reply_encoded": respond_once(http_head("Content-Encoding: gzip")),
    "bad chunk": respond_once(http_head("Transfer-Encoding: chunked") + b"zz\r\n"),
    "timed_out": lambda peer: peer.pause(),
}


@pytest.mark.parametrize("kind", [*REPLIES, *FAILURES])
def test_reply_or_failure_exposes_nothing_of_the_query(
    kind: str, check: Callable[[list[str], str], None]
) -> None:
    script = {**REPLIES, **FAILURES}[kind]
    seconds = 0.3 if kind in FAILURES else 2.0
    with open_kyc_rig(script, connections=1) as rig:
        outcomes = [outcome_of(rig.transport, seconds=seconds) for _ in range(2)]
    check([*outcomes[0], *outcomes[1]], "replied" if kind in REPLIES else "failed")


def test_bad_certificate_exposes_nothing_of_the_query(
    certificates: Certificates, check: Callable[[list[str], str], None]
) -> None:
    with open_kyc_rig(tls=certificates.self_signed) as rig:
        outcome = outcome_of(rig.transport)
    assert outcome[1] == "upstream_unreachable: tls_failed"
    check(outcome, "failed")


def test_failed_connect_exposes_nothing_of_the_query(
    check: Callable[[list[str], str], None],
) -> None:
    with full_backlog_port() as port:
        for host in (f"127.0.0.1:{port}", f"127.0.0.1:{closed_port()}", "a..test"):
            check(outcome_of(build_transport(f"http://{host}"), seconds=0.2), "failed")


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
CALLED_TWICE = """
import logging
from kycourier.adapters.http import sessions
print([n for n in sessions.NOISY_LOGGERS if logging.getLogger(n).filters])
sessions.mute_http_libraries()
sessions.mute_http_libraries()
print({len(logging.getLogger(n).filters) for n in sessions.NOISY_LOGGERS})
"""
LISTED = """
import logging
from kycourier.adapters.http import sessions
names = {name for name, logger in logging.root.manager.loggerDict.items()
         if isinstance(logger, logging.Logger)}
print({name for name in names - set(sessions.NOISY_LOGGERS)
       if name.split(".")[0] in ("requests", "urllib3", "http")})
"""


def run(program: str, *arguments: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
        timeout=30,
    )
    return ended.stdout.splitlines()


def test_logging_configured_later_stays_muted() -> None:
    with contextlib.closing(HostileServer(RESPOND)) as server:
        assert run(CONFIGURES_LATER, server.url) == ["200"]
    assert b"canary" in server.requests[0]


def test_muting_happens_on_call_and_is_idempotent() -> None:
    assert run(CALLED_TWICE) == ["[]", "{1}"]


def test_every_library_logger_is_muted() -> None:
    assert run(LISTED) == ["set()"]

"""The real KYC transport, connected to a hostile server."""

import contextlib
import ssl
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.core.errors import TransportError
from kycourier.core.redaction import Query
from kycourier.core.wire.messages import KycRequest, KycResponse
from support.servers.certificates import Certificates
from support.servers.hostile_server import (
    HostileServer,
    Script,
    http_response,
    respond_always,
)

MAX_REPLY_BYTES = 100_000
PATH = "/api/some/path"
RESPOND = respond_always(http_response())
REASONS = {
    "resolve_failed", "connect_failed", "tls_failed", "timed_out",
    "connection_reset", "reply_too_large", "reply_encoded", "reply_not_http",
}  # fmt: skip


class Failure(NamedTuple):
    """A failure's reason, and the seconds until it was raised."""

    reason: str
    seconds: float


class KycRig(NamedTuple):
    """A server, and a transport that connects to it alone."""

    server: HostileServer
    transport: HttpKycTransport

    def send(
        self, *pairs: tuple[str, str], seconds: float = 2.0, **members: object
    ) -> KycResponse:
        """Send a query and return the reply; `members` are the request's."""
        request = KycRequest(path=PATH, query=Query(pairs), **members)
        return self.transport.send(request, timeout_seconds=seconds)

    def fail(self, *, seconds: float = 2.0, **members: object) -> Failure:
        """Send a query that must fail; see `expect_failure`."""
        return expect_failure(self.transport, seconds=seconds, **members)


def expect_failure(
    transport: HttpKycTransport, *, seconds: float = 2.0, **members: object
) -> Failure:
    """Send a query that must fail; assert that it chains no library exception."""
    request = KycRequest(path=PATH, query=Query(()), **members)
    begun = time.monotonic()
    with pytest.raises(TransportError) as caught:
        transport.send(request, timeout_seconds=seconds)
    took = time.monotonic() - begun
    error = caught.value
    assert error.reason in REASONS
    assert str(error) == f"upstream_unreachable: {error.reason}"
    assert error.__cause__ is None
    assert error.__context__ is None
    return Failure(error.reason, took)


def build_transport(url: str, *, extra_ca_file: str | None = None) -> HttpKycTransport:
    """Build a transport that keeps one connection."""
    return HttpKycTransport(
        url,
        connections=1,
        max_reply_bytes=MAX_REPLY_BYTES,
        extra_ca_file=extra_ca_file,
    )


@contextlib.contextmanager
def open_kyc_rig(
    script: Script = RESPOND,
    *,
    certificates: Certificates | None = None,
    tls: ssl.SSLContext | None = None,
    before_tls: Script | None = None,
    prefix: str = "",
    connections: int = 4,
    cap: int = MAX_REPLY_BYTES,
    extra_ca_file: str | None = None,
) -> Iterator[KycRig]:
    """Start a server and a transport; close both at the end.

    With `certificates` it serves over TLS, and the transport trusts its authority.
    """
    if certificates:
        tls, extra_ca_file = tls or certificates.good, certificates.authority
    with (
        contextlib.closing(
            HostileServer(script, tls=tls, before_tls=before_tls)
        ) as server,
        contextlib.closing(
            HttpKycTransport(
                server.url + prefix,
                connections=connections,
                max_reply_bytes=cap,
                extra_ca_file=extra_ca_file,
            )
        ) as transport,
    ):
        yield KycRig(server, transport)

"""The real KYC transport, talking to a hostile server."""

import contextlib
import ssl
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from hostile import HostileServer, Play
from kycourier.adapters.kyc_http import KycHttp
from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.hidden import Query
from kycourier.core.models import KycReply, KycRequest

CAP = 100_000
PATH = "/api/some/path"
REASONS = {
    "resolve", "connect", "tls", "timeout",
    "reset", "too_large", "encoded", "protocol",
}  # fmt: skip


class Failure(NamedTuple):
    """Why a call failed, and after how long."""

    reason: str
    seconds: float


class Talk(NamedTuple):
    """A server, and a transport that knows no other."""

    server: HostileServer
    transport: KycHttp

    def ask(self, *pairs: tuple[str, str], seconds: float = 2.0) -> KycReply:
        """Get a reply."""
        request = KycRequest(path=PATH, query=Query(pairs))
        return self.transport.send(request, timeout_seconds=seconds)

    def fail(self, *, seconds: float = 2.0) -> Failure:
        """Get an error that carries nothing foreign."""
        return fail(self.transport, seconds=seconds)


def fail(transport: KycHttp, *, seconds: float = 2.0) -> Failure:
    """Get an error that carries nothing foreign."""
    request = KycRequest(path=PATH, query=Query(()))
    begun = time.monotonic()
    with pytest.raises(UpstreamUnreachable) as caught:
        transport.send(request, timeout_seconds=seconds)
    took = time.monotonic() - begun
    error = caught.value
    assert error.reason in REASONS
    assert str(error) == f"upstream_unreachable: {error.reason}"
    assert error.__cause__ is None
    assert error.__context__ is None
    return Failure(error.reason, took)


@contextlib.contextmanager
def talking(
    play: Play,
    *,
    tls: ssl.SSLContext | None = None,
    before_tls: Play | None = None,
    prefix: str = "",
    connections: int = 4,
    cap: int = CAP,
    extra_ca_file: str | None = None,
) -> Iterator[Talk]:
    """Start a server and a transport, and end both."""
    with (
        contextlib.closing(
            HostileServer(play, tls=tls, before_tls=before_tls)
        ) as server,
        contextlib.closing(
            KycHttp(
                server.url + prefix,
                connections=connections,
                max_reply_bytes=cap,
                extra_ca_file=extra_ca_file,
            )
        ) as transport,
    ):
        yield Talk(server, transport)

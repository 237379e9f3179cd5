"""A platform that misbehaves on the wire, and a fleet that works with it."""

import http.client
from contextlib import ExitStack

import pytest

from kycourier import assembly
from kycourier.adapters import http_session
from leak_scan import find_leaks
from loud import listening
from transport_faults.faults import GBK_TEXT, PAGE_TEXT
from transport_faults.fleet import Fleet, JumpingClock
from transport_faults.upstream import HOST, Upstream, resolving


@pytest.fixture
def clock():
    return JumpingClock()


@pytest.fixture
def upstream(clock, certificates, monkeypatch):
    """Answer over TLS under a name of its own."""
    with ExitStack() as stack:
        upstream = Upstream(stack, clock, certificates)
        stack.enter_context(resolving(upstream, monkeypatch))
        yield upstream


@pytest.fixture
def fleet(tmp_path, upstream, clock, certificates, monkeypatch):
    """Give workers; in the end no sink holds what it must not, and nobody was led away.

    Every logger is turned up, and http.client is told to print.
    """
    with ExitStack() as stack:
        records = stack.enter_context(listening(http_session.LOUD_LOGGERS))
        fleet = Fleet(tmp_path, upstream, stack, clock=clock, patch=monkeypatch)
        fleet.house.environ["SSL_CERT_FILE"] = certificates.authority
        for name, value in fleet.house.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
        monkeypatch.setattr(assembly, "SystemClock", lambda: clock)
        monkeypatch.setattr(assembly, "KycHttp", fleet.open_transport)
        yield fleet
    output, logs = fleet.said.getvalue(), "\n".join(records.texts)
    assert '"message":"order_settled"' in output
    sinks = fleet.sinks() | {"output": output, "logs": logs}
    canaries = {*upstream.canaries(), PAGE_TEXT, GBK_TEXT, HOST + ":"}
    assert find_leaks(canaries, sinks) == []
    mojibake = {
        GBK_TEXT.encode("gbk").decode(name, "ignore") for name in ("utf-8", "latin-1")
    }
    assert find_leaks(mojibake, sinks) == []
    assert upstream.elsewhere.connections == 0
    assert upstream.sandbox.report().sign_rejections == 0

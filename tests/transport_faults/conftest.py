"""A platform whose transport fails, and workers that call it."""

import http.client
from contextlib import ExitStack

import pytest

from kycourier import container
from kycourier.adapters.http import sessions
from support.leaks.leak_scan import find_leaks
from support.leaks.log_capture import capture_logs
from transport_faults.faults import GBK_TEXT, PAGE_TEXT
from transport_faults.platform import HOST, FaultyPlatform, resolving
from transport_faults.worker_rig import ShiftedClock, WorkerRig


@pytest.fixture
def clock():
    return ShiftedClock()


@pytest.fixture
def platform(clock, certificates, monkeypatch):
    """Serve over TLS under a host name of its own."""
    with ExitStack() as stack:
        platform = FaultyPlatform(stack, clock, certificates)
        stack.enter_context(resolving(platform, monkeypatch))
        yield platform


@pytest.fixture
def rig(tmp_path, platform, clock, certificates, monkeypatch):
    """Start workers with all loggers at DEBUG; at the end, check every sink for leaks.

    No request may have reached another server, and no signature may have been refused.
    """
    with ExitStack() as stack:
        records = stack.enter_context(capture_logs(sessions.NOISY_LOGGERS))
        rig = WorkerRig(tmp_path, platform, stack, clock=clock, patch=monkeypatch)
        rig.service_rig.environ["SSL_CERT_FILE"] = certificates.authority
        for name, value in rig.service_rig.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
        monkeypatch.setattr(container, "SystemClock", lambda: clock)
        monkeypatch.setattr(container, "HttpKycTransport", rig.open_transport)
        yield rig
    output = rig.output.getvalue()
    assert '"message":"order_settled"' in output
    sinks = rig.sinks() | {"output": output, "logs": "\n".join(records.texts)}
    mojibake = {
        GBK_TEXT.encode("gbk").decode(name, "ignore") for name in ("utf-8", "latin-1")
    }
    canaries = {*platform.canaries(), PAGE_TEXT, GBK_TEXT, HOST + ":", *mojibake}
    assert find_leaks(canaries, sinks) == []
    assert platform.other_server.connections == 0
    assert platform.sandbox.report().sign_rejections == 0

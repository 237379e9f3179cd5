"""A stale kept-alive connection costs at most one reconnect (fault 9)."""

import pytest

from kycourier.core.orders.record import OrderState
from support.servers.hostile_server import Peer
from transport_faults.faults import Fault
from transport_faults.platform import KINDS as KINDS_BY_PATH
from transport_faults.platform import FaultyPlatform, Handle

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
KINDS = pytest.mark.parametrize("kind", ["token", "ticket", "query"])
HOUR_SECONDS = 3600 + 60


def close_before_request(_: FaultyPlatform, peer: Peer, handle: Handle) -> None:
    """Close a kept-alive connection at its next request; handle all others."""
    if peer.answered:
        raise EOFError
    response = handle()
    peer.send(response.head(close=False) + response.body)


def close_after_request(_: FaultyPlatform, peer: Peer, handle: Handle) -> None:
    """Handle every request, then close a kept-alive connection without a response."""
    response = handle()
    if peer.answered:
        raise EOFError
    peer.send(response.head(close=False) + response.body)


def start_warm(rig, kind):
    """Start a worker with a kept-alive connection; its next call is of this kind."""
    worker = rig.start()
    assert worker.deliver("before") == []
    if kind != "query":
        rig.clock.advance(HOUR_SECONDS)
    rig.platform.calls.clear()
    rig.platform.server.requests.clear()
    return worker


def received(platform, kind):
    """Return the received requests of a kind."""
    [path] = [path for path, its_kind in KINDS_BY_PATH.items() if its_kind == kind]
    start = f"GET {path}?".encode()
    return [each for each in platform.server.requests if each.startswith(start)]


@KINDS
@pytest.mark.parametrize("close", [close_before_request, close_after_request])
def test_stale_connection_is_replaced_without_a_failure(close, kind, rig, platform):
    worker = start_warm(rig, kind)
    connections = platform.server.connections
    platform.set_fault(Fault(9, close), kind)

    assert worker.deliver("order1") == []

    assert rig.row("order1").state is OrderState.COLLECTED
    assert {call.outcome for call in rig.calls} == {200}
    first, again = received(platform, kind)
    assert first == again  # nonce and signature included
    assert platform.fault_count == 2
    assert platform.server.connections == connections + 1
    others = {"token", "ticket", "query"} - {kind}
    assert all(platform.calls[other] <= 1 for other in others)
    repeated = platform.sandbox.report().repeated_nonces
    assert repeated == (close is close_after_request and kind == "query")

"""A kept connection that died costs at most one reconnect, which nobody notices (9)."""

import pytest

from hostile import Peer
from kycourier.core.order_record import State
from transport_faults.faults import RESET, Fault
from transport_faults.upstream import KINDS as KINDS_BY_PATH
from transport_faults.upstream import Upstream, Work

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
KINDS = pytest.mark.parametrize("kind", ["token", "ticket", "query"])
HOUR_SECONDS = 3600 + 60


def die_unheeding(_: Upstream, peer: Peer, work: Work) -> None:
    """Hang up on what comes over a connection that was kept; else do the work."""
    if peer.answered:
        raise EOFError
    answer = work()
    peer.send(answer.head(close=False) + answer.body)


def die_after_work(_: Upstream, peer: Peer, work: Work) -> None:
    """Do the work, and then the same."""
    answer = work()
    if peer.answered:
        raise EOFError
    peer.send(answer.head(close=False) + answer.body)


def die_always(*_: object) -> None:
    raise EOFError


def warm(fleet, kind):
    """Start a worker that keeps a connection, and that must renew its pair if asked."""
    worker = fleet.start()
    assert worker.deliver("before") == []
    if kind != "query":
        fleet.clock.jump(HOUR_SECONDS)
    fleet.upstream.calls.clear()
    fleet.upstream.server.requests.clear()
    return worker


def heard(upstream, kind):
    """Give the requests of a kind as they came."""
    [path] = [path for path, its_kind in KINDS_BY_PATH.items() if its_kind == kind]
    begin = f"GET {path}?".encode()
    return [each for each in upstream.server.requests if each.startswith(begin)]


@KINDS
@pytest.mark.parametrize("die", [die_unheeding, die_after_work])
def test_a_connection_that_dies_is_replaced_unnoticed(die, kind, fleet, upstream):
    worker = warm(fleet, kind)
    connections = upstream.server.connections
    upstream.set_fault(Fault(9, die), kind)

    assert worker.deliver("order1") == []

    assert fleet.row("order1").state is State.COLLECTED
    assert {call.came_to for call in fleet.calls} == {200}
    first, again = heard(upstream, kind)
    assert first == again  # nonce and signature too: the platform can tell
    assert upstream.met == 2
    assert upstream.server.connections == connections + 1
    others = {"token", "ticket", "query"} - {kind}
    assert all(upstream.calls[other] <= 1 for other in others)
    done = upstream.sandbox.report().repeated_nonces
    assert done == (die is die_after_work and kind == "query")


@KINDS
def test_a_connection_closed_while_it_was_idle_is_not_asked(kind, fleet, upstream):
    worker = warm(fleet, kind)
    upstream.server.hang_up()

    assert worker.deliver("order1") == []

    assert fleet.row("order1").state is State.COLLECTED
    assert max(upstream.calls.values()) == len(heard(upstream, kind)) == 1


@KINDS
def test_the_second_connection_is_the_last(kind, fleet, upstream):
    worker = warm(fleet, kind)
    fleet.calls.clear()
    upstream.set_fault(Fault(9, die_always, named=RESET), kind)

    assert worker.deliver("order1") == []

    assert fleet.row("order1").state is State.WAITING
    assert len(heard(upstream, kind)) == upstream.met == 2
    [failed] = [call for call in fleet.calls if call.came_to != 200]
    assert failed.came_to in RESET
    upstream.mend()
    assert fleet.sweep_until_final("order1").state is State.COLLECTED
    assert len(fleet.house.events()) == 2

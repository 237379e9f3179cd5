"""A reply cut at any offset gives nothing, and no exception (fault 17)."""

import pytest

from hostile import head, reply
from houses import TIMER
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier_devkit.sandbox import APP_ID
from transport_faults.faults import Fault

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.slow,
    pytest.mark.timeout(
        180
    ),  # a busy disk: each of thousands of calls is several writes
]


class Cutter:
    """Cuts each answer a byte later than the one before, the last byte at the least."""

    def __init__(self, framing):
        self._framing, self.length, self.at = framing, 1, 0

    def __call__(self, _, peer, work):
        body = work().body
        self.length = max(self.length, len(body))
        part = body[: min(self.at, len(body) - 1)]
        self.at += 1
        if self._framing == "length":
            peer.send(reply(part))
        else:
            peer.send(head(f"Content-Length: {len(body)}") + part)
            raise EOFError

    @property
    def is_done(self):
        return self.at >= self.length


@pytest.fixture(params=["length", "closed"])
def cutter(request):
    """Cut with the length of what is left, or hang up before the length is reached."""
    return Cutter(request.param)


@pytest.mark.parametrize("kind", ["token", "ticket"])
def test_no_pair_comes_of_a_cut_reply(kind, cutter, fleet, upstream):
    upstream.set_fault(Fault(17, cutter), kind)
    refresh = fleet.start("refresh_ticket")
    tickets = SqliteTicketStore(fleet.house.folder / "state.db")
    while not cutter.is_done:
        told = refresh.invoke(TIMER)
        assert told["generation"] is None
        assert tickets.load(APP_ID) is None
        fleet.clock.jump(300)
    assert upstream.met == cutter.length > 80
    upstream.mend()
    assert refresh.invoke(TIMER)["generation"] == 1
    assert fleet.start().deliver("order1") == []
    fleet.sweep_until_final("order1")


def test_no_order_is_collected_of_a_cut_reply(cutter, fleet, upstream, monkeypatch):
    """An order that is well between them keeps the fleet from stopping."""
    monkeypatch.setenv("KYCOURIER_MAX_IN_FLIGHT", "1")
    fleet.buy_pair()
    collect, rounds = fleet.start(), 0
    orders = [f"order{number}" for number in range(9)]
    upstream.set_fault(Fault(17, cutter), "query")
    assert collect.deliver(*orders) == []
    while not cutter.is_done:
        rounds += 1
        with upstream.mended():
            assert collect.deliver(f"well{rounds}") == []
        assert len(fleet.house.events()) == rounds
        assert {fleet.row(order).reason for order in orders} == {"transient"}
        fleet.clock.jump(301)  # beyond the longest back-off
        fleet.sweep()
    assert upstream.met == len(orders) * (rounds + 1) >= cutter.length > 400
    assert fleet.pauses() == []
    upstream.mend()
    for order in orders:
        fleet.sweep_until_final(order)
    assert len(fleet.house.events()) == rounds + len(orders)

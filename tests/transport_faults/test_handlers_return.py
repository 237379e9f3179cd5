"""However a call hangs, a handler returns in time (I9)."""

import time

import pytest

from transport_faults.faults import FAULTS

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
RESERVE_SECONDS = 1.0
BUSY_SECONDS = 0.5  # between the decision and the call


@pytest.mark.parametrize("fault", ["5 headers drip", "6 body drips"])
@pytest.mark.parametrize(
    ("kind", "seconds"), [("token", 4.8), ("ticket", 4.8), ("query", 2.8)]
)
def test_a_call_gets_no_more_than_the_invocation_has_left(
    fault, kind, seconds, fleet, upstream
):
    """The setting would allow 8 s, and a refresh 4."""
    if kind == "query":
        fleet.buy_pair()
    upstream.set_fault(FAULTS[fault], kind)
    worker = fleet.start()
    ends_at = time.monotonic() + seconds

    assert worker.deliver("order1", seconds=seconds, spare=0) == []

    call = fleet.calls[-1]
    assert (call.kind, call.came_to, upstream.met) == (kind, "timeout", 1)
    assert call.allowed <= ends_at - call.begun - RESERVE_SECONDS + BUSY_SECONDS
    assert call.allowed > RESERVE_SECONDS / 2
    upstream.mend()
    fleet.sweep_until_final("order1")


def test_a_batch_whose_calls_hang_gives_back_what_was_not_begun(
    fleet, upstream, monkeypatch
):
    monkeypatch.setenv("KYCOURIER_MAX_IN_FLIGHT", "1")
    fleet.buy_pair()
    fleet.hanging["query"] = 0.3
    upstream.set_fault(FAULTS["5 headers drip"], "query")
    orders = [f"order{number}" for number in range(9)]

    returned = fleet.start().deliver(*orders, seconds=4)

    begun = [order for order in orders if order not in returned]
    assert 1 <= upstream.met <= len(begun)
    assert returned == orders[len(begun) :] != []
    assert all(fleet.find(order) is None for order in returned)
    assert {fleet.row(order).reason for order in begun} == {"transient"}
    upstream.mend()
    fleet.hanging.clear()
    assert fleet.start().deliver(*returned) == []
    for order in orders:
        fleet.sweep_until_final(order)
    assert len(fleet.house.events()) == len(orders)

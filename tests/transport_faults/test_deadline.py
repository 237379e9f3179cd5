"""A handler returns in time if its calls hang (I9)."""

import pytest

from transport_faults.faults import FAULTS

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
RESERVE_SECONDS = 1.0


@pytest.mark.parametrize("fault", ["5 headers drip", "6 body drips"])
@pytest.mark.parametrize(
    ("kind", "seconds"), [("token", 4.8), ("ticket", 4.8), ("query", 2.8)]
)
def test_call_timeout_is_below_the_time_left(fault, kind, seconds, rig, platform):
    """By the settings a query may last 8 s, and a refresh 4 s."""
    if kind == "query":
        rig.refresh_ticket()
    platform.set_fault(FAULTS[fault], kind)
    worker = rig.start()

    assert worker.deliver("order1", seconds=seconds, spare=0) == []

    call = rig.calls[-1]
    assert (call.kind, call.outcome, platform.fault_count) == (kind, "timeout", 1)
    assert call.allowed <= seconds - RESERVE_SECONDS
    platform.clear_fault()
    rig.sweep_until_final("order1")


def test_batch_whose_calls_hang_returns_the_records_that_were_not_started(
    rig, platform, monkeypatch
):
    monkeypatch.setenv("KYCOURIER_MAX_IN_FLIGHT", "1")
    rig.refresh_ticket()
    rig.slow_kinds["query"] = 0.3
    platform.set_fault(FAULTS["5 headers drip"], "query")
    orders = [f"order{number}" for number in range(9)]

    returned = rig.start().deliver(*orders, seconds=4)

    started = [order for order in orders if order not in returned]
    assert 1 <= platform.fault_count <= len(started)
    assert returned == orders[len(started) :] != []
    assert all(rig.find(order) is None for order in returned)
    assert {rig.row(order).reason for order in started} == {"transient"}
    platform.clear_fault()
    rig.slow_kinds.clear()
    assert rig.start().deliver(*returned) == []
    for order in orders:
        rig.sweep_until_final(order)
    assert len(rig.service_rig.events()) == len(orders)

"""Each fault of the way to the platform, at each of its three calls, with one order.

While it lasts the order is safe in its row and asked for by the published schedule;
when it has ended the order is collected at its next due times.
"""

import pytest

from houses import TIMER
from kycourier.adapters.local.tickets import SqliteTicketStore
from kycourier.core.order_record import State
from kycourier_devkit.sandbox import APP_ID
from transport_faults.faults import FAULTS

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
TIMES = 2  # the fault meets so many calls at least
BUSY_SECONDS = 2.0  # a deadline is kept to half a second; a busy machine has longer
CASES = [
    pytest.param(
        FAULTS[name],
        kind,
        id=f"{name} - {kind}",
        marks=[pytest.mark.slow]
        if FAULTS[name].call_seconds or kind != "query"
        else [],
    )
    for name in FAULTS
    for kind in ("token", "ticket", "query")
]


def test_every_fault_has_its_row():
    """But for 9, which is no failure: test_stale_connections."""
    assert {fault.number for fault in FAULTS.values()} | {9} == set(range(1, 18))


@pytest.mark.parametrize(("fault", "kind"), CASES)
def test_an_order_outlives_the_fault(fault, kind, fleet, upstream):
    if kind == "query":
        fleet.buy_pair()
    upstream.set_fault(fault, kind)
    if fault.call_seconds:
        fleet.hanging[kind] = fault.call_seconds

    assert fleet.start().deliver("order1") == []

    meet(fleet, kind)
    check_schedule(fleet, kind)
    judge(fault, kind, fleet)
    upstream.mend()
    fleet.hanging.clear()
    fleet.ask_early("order1")
    begun = fleet.clock.now()
    assert fleet.sweep_until_final("order1").state is State.COLLECTED
    assert (fleet.clock.now() - begun).total_seconds() < 15 * 60  # I1
    [event] = fleet.house.events()
    fleet.check_evidence(event)
    check_counts(fault, kind, upstream)


def meet(fleet, kind):
    """Ask again at each due time until the fault was met often enough."""
    upstream = fleet.upstream
    if kind != "query":
        told = fleet.start("refresh_ticket").invoke(TIMER)
        assert (told["generation"], "problem" in told) == (None, True)
        assert SqliteTicketStore(fleet.house.folder / "state.db").load(APP_ID) is None
    for _ in range(20):
        row = fleet.row("order1")
        assert row.state is State.WAITING
        assert fleet.is_without_effect()
        if upstream.met >= TIMES:
            return
        fleet.ask_early("order1")
        fleet.clock.jump(fleet.due_in("order1"))
        fleet.sweep()
    raise AssertionError("the fault was not met")


def check_schedule(fleet, kind):
    """Check that each attempt made one call at most, and nothing else did."""
    attempts = fleet.row("order1").attempts
    asked = [call for call in fleet.calls if call.kind == kind]
    assert len(asked) == fleet.upstream.met <= attempts + (kind != "query")


def judge(fault, kind, fleet):
    """Check what the transport made of each call, and when."""
    for call in fleet.calls:
        if call.kind != kind:
            assert call.came_to == 200
            continue
        if fault.named is None:
            assert isinstance(call.came_to, int)
        else:
            assert call.came_to in fault.named
        deadline = min(call.allowed, 2.0) if fault.number == 3 else call.allowed
        assert call.took < deadline + BUSY_SECONDS
        assert call.took > deadline - 0.1 or not fault.call_seconds
    reason = "throttled" if fault.throttles and kind == "query" else "transient"
    assert fleet.row("order1").reason == reason


def check_counts(fault, kind, upstream):
    """Check that the platform heard what failed, and each call once more when well."""
    heard = upstream.met if fault.act else 0
    bought = 1 + (heard if kind == "token" else 0)
    bought += upstream.met if kind == "ticket" else 0
    assert upstream.calls == {
        "token": bought,
        "ticket": 1 + (heard if kind == "ticket" else 0),
        "query": 1 + (heard if kind == "query" else 0),
    }
    assert upstream.met >= TIMES
    for impostor in upstream.impostors.values():
        assert impostor.connections == upstream.met
        assert impostor.requests == []

"""The contract of OrderStore's pages of due and unsent orders."""

from datetime import timedelta
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kycourier.core.orders import follow_up
from kycourier.core.orders.pages import Cursor, Page
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState, Reason
from support.fakes import START, FakeClock
from support.rigs.state_rig import (
    DAMAGED,
    LEASE,
    NEWER,
    StateRig,
    collected,
    open_state_rig,
)
from support.sample_records import APP, EVENT, draft
from support.servers.emulators import STATE_KINDS

TICK = timedelta(microseconds=1)
SENT = replace(EVENT, sent=True)
UNSENT = {"state": OrderState.COLLECTED, "events": (EVENT,)}
LISTINGS = {"list_due": {}, "list_unsent": UNSENT}


class List(Protocol):
    def __call__(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page: ...


def walk(page_of: List, *, limit: int = 100, app_id: str = APP) -> list[str]:
    """Return the order numbers of all pages."""
    found, after = [], None
    for _ in range(1000):
        page = page_of(app_id, limit=limit, after=after)
        assert len(page.records) <= limit
        found += [record.order_no for record in page.records]
        after = page.next
        if after is None:
            return found
    raise AssertionError("the pages do not end")


def listed(rig: StateRig) -> tuple[list[str], list[str]]:
    """Return the order numbers of the due and of the unsent orders."""
    orders = rig.stores.orders
    return walk(orders.list_due), walk(orders.list_unsent)


DUE_A, UNSENT_A = (["a"], []), ([], ["a"])


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (draft("a"), DUE_A),
        (
            draft("a", state=OrderState.WAITING, reason=Reason.NOT_READY.value),
            DUE_A,
        ),
        (draft("a", state=OrderState.COLLECTING, owner="one"), DUE_A),
        (draft("a", state=OrderState.COLLECTED, events=(EVENT,)), UNSENT_A),
        (draft("a", state=OrderState.PARKED, events=(SENT, EVENT)), UNSENT_A),
        (draft("a", state=OrderState.REJECTED, events=(SENT,)), DUE_A),
        (draft("a", state=OrderState.WAITING, events=(EVENT,)), DUE_A),
    ],
    ids=[
        "registered",
        "waiting",
        "collecting whose lease may have ended",
        "final with an event to send",
        "final with one of two events to send",
        "final with an orphan check to do",
        "reopened before its event was sent",
    ],
)
def test_row_is_listed_by_its_need(rig, record: OrderRecord, expected):
    rig.stores.orders.register(record)

    assert listed(rig) == expected


def test_row_is_listed_by_its_need_after_each_commit(rig):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)
    rig.stores.orders.commit(done, expected=claimed)
    rig.clock.sleep(LEASE.total_seconds())
    assert listed(rig) == ([], ["order1"])

    sent = follow_up.mark_sent(done, now=rig.clock.now())
    rig.stores.orders.commit(sent, expected=done)

    assert listed(rig) == ([], [])


def test_rows_of_other_apps_are_not_listed(rig):
    orders = rig.stores.orders
    orders.register(draft("a", app_id="SANDBOX2"))

    assert walk(orders.list_due) == []
    assert walk(orders.list_due, app_id="SANDBOX2") == ["a"]


def test_last_page_has_no_next(rig):
    orders = rig.stores.orders
    for order_no in "abcd":
        orders.register(draft(order_no))

    first = orders.list_due(APP, limit=2)

    assert orders.list_due(APP, limit=2, after=first.next) == Page(
        (draft("c"), draft("d")), None
    )


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("record", [NEWER, *DAMAGED])
def test_pages_skip_unreadable_rows(rig, record, limit):
    orders = rig.stores.orders
    for order_no in "abcdef":
        orders.register(draft(order_no))
    for order_no in "abde":
        rig.overwrite_order(OrderKey(APP, order_no), record)

    assert walk(orders.list_due, limit=limit) == ["c", "f"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("listing", LISTINGS)
def test_pages_list_each_row_once_oldest_first(rig, listing, limit):
    orders = rig.stores.orders
    rig.clock.set(START + timedelta(seconds=10))
    for order_no, seconds in [("d", 3), ("b", 2), ("a", 9), ("c", 2), ("e", 1)]:
        due_at = START + timedelta(seconds=seconds, microseconds=1)
        orders.register(draft(order_no, due_at=due_at, **LISTINGS[listing]))

    assert walk(getattr(orders, listing), limit=limit) == ["e", "b", "c", "d", "a"]


INSTANTS = st.integers(0, 3).map(lambda us: START + us * TICK) | st.none()


@pytest.mark.parametrize("listing", LISTINGS)
@pytest.mark.parametrize("kind", STATE_KINDS)
@settings(max_examples=15, deadline=None)
@given(
    due_times=st.lists(INSTANTS, max_size=12),
    limit=st.integers(1, 5),
    passed=st.integers(0, 4),
)
def test_pages_list_exactly_the_due_rows_in_order(
    kind, listing, due_times, limit, passed, location_of
):
    clock = FakeClock(START + passed * TICK)
    orders = open_state_rig(kind, location_of(kind), clock).stores.orders
    expected = []
    for number, due_at in enumerate(due_times):
        orders.register(draft(f"{number:02}", due_at=due_at, **LISTINGS[listing]))
        if due_at is not None and due_at <= clock.now():
            expected.append((due_at, f"{number:02}"))

    found = walk(getattr(orders, listing), limit=limit)

    assert found == [order_no for _, order_no in sorted(expected)]

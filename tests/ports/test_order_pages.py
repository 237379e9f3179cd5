"""The contract of OrderStore's pages of due and unsent orders."""

from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState, Reason
from kycourier.ports import Cursor, Page
from support.fakes import START, FakeClock
from support.rigs.order_store_rig import (
    APP,
    DAMAGED,
    EVENT,
    LEASE,
    NEWER,
    OPEN_RIG,
    SENT,
    TICK,
    OrderStoreRig,
    collected,
    draft,
)
from support.servers.emulators import STATE_KINDS


@pytest.fixture
def rig(kind: str, location: Path | str, clock: FakeClock) -> OrderStoreRig:
    return OPEN_RIG[kind](location, clock)


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


def row(order_no: str, **changes: object) -> OrderRecord:
    return replace(draft(OrderKey(APP, order_no)), due_at=START, **changes)


@pytest.mark.parametrize(
    ("record", "in_due", "in_unsent"),
    [
        (row("a"), True, False),
        (
            row("a", state=OrderState.WAITING, reason=Reason.NOT_READY.value),
            True,
            False,
        ),
        (row("a", state=OrderState.COLLECTING, owner="one"), True, False),
        (row("a", state=OrderState.COLLECTED, events=(EVENT,)), False, True),
        (row("a", state=OrderState.PARKED, events=(SENT, EVENT)), False, True),
        (row("a", state=OrderState.REJECTED, events=(SENT,)), True, False),
        (row("a", state=OrderState.WAITING, events=(EVENT,)), True, False),
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
def test_row_is_listed_by_its_need(rig, record, in_due, in_unsent):
    rig.store.register(record)

    assert walk(rig.store.list_due) == (["a"] if in_due else [])
    assert walk(rig.store.list_unsent) == (["a"] if in_unsent else [])


def test_row_is_listed_by_its_need_after_each_commit(rig):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)
    rig.store.commit(done, expected=claimed)
    rig.clock.sleep(LEASE.total_seconds())
    assert (walk(rig.store.list_due), walk(rig.store.list_unsent)) == ([], ["order1"])

    rig.store.commit(rules.mark_sent(done, now=rig.clock.now()), expected=done)

    assert (walk(rig.store.list_due), walk(rig.store.list_unsent)) == ([], [])


@pytest.mark.parametrize(
    ("record", "listing"),
    [
        (row("a"), "list_due"),
        (row("a", state=OrderState.COLLECTED, events=(EVENT,)), "list_unsent"),
    ],
)
def test_row_is_listed_from_its_due_time(rig, record, listing):
    rig.store.register(replace(record, due_at=START + TICK))

    assert walk(getattr(rig.store, listing)) == []
    rig.clock.set(START + TICK)
    assert walk(getattr(rig.store, listing)) == ["a"]


def test_never_due_row_is_not_listed(rig):
    rig.store.register(replace(row("a"), due_at=None))
    rig.store.register(
        replace(row("b", state=OrderState.COLLECTED, events=(EVENT,)), due_at=None)
    )
    rig.clock.sleep(1e9)

    assert (walk(rig.store.list_due), walk(rig.store.list_unsent)) == ([], [])


def test_rows_of_other_apps_are_not_listed(rig):
    rig.store.register(replace(row("a"), app_id="SANDBOX2"))

    assert walk(rig.store.list_due) == []
    assert walk(rig.store.list_due, app_id="SANDBOX2") == ["a"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("listing", ["list_due", "list_unsent"])
def test_pages_list_each_row_once_oldest_first(rig, listing, limit):
    final = (
        {"state": OrderState.COLLECTED, "events": (EVENT,)}
        if listing == "list_unsent"
        else {}
    )
    rig.clock.set(START + timedelta(seconds=10))
    for order_no, seconds in [("d", 3), ("b", 2), ("a", 9), ("c", 2), ("e", 1)]:
        due_at = START + timedelta(seconds=seconds, microseconds=1)
        rig.store.register(replace(row(order_no, **final), due_at=due_at))

    page_of = getattr(rig.store, listing)

    assert walk(page_of, limit=limit) == ["e", "b", "c", "d", "a"]


def test_last_page_has_no_next(rig):
    rig.store.register(row("a"))

    assert rig.store.list_due(APP, limit=2).next is None
    assert rig.store.list_due(APP, limit=2) == Page((row("a"),), None)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("record", [NEWER, *DAMAGED])
def test_pages_skip_unreadable_rows(rig, record, limit):
    for order_no in "abcdef":
        rig.store.register(row(order_no))
    for order_no in "abde":
        rig.overwrite(OrderKey(APP, order_no), record)

    assert walk(rig.store.list_due, limit=limit) == ["c", "f"]


INSTANTS = st.integers(0, 3).map(lambda us: START + us * TICK) | st.none()


@pytest.mark.parametrize("kind", STATE_KINDS)
@settings(max_examples=15, deadline=None)
@given(
    due_times=st.lists(INSTANTS, max_size=12),
    limit=st.integers(1, 5),
    passed=st.integers(0, 4),
)
def test_pages_list_exactly_the_due_rows_in_order(
    kind, due_times, limit, passed, location_of
):
    clock = FakeClock(START + passed * TICK)
    rig = OPEN_RIG[kind](location_of(kind), clock)
    expected = []
    for number, due_at in enumerate(due_times):
        rig.store.register(replace(row(f"{number:02}"), due_at=due_at))
        if due_at is not None and due_at <= clock.now():
            expected.append((due_at, f"{number:02}"))

    found = walk(rig.store.list_due, limit=limit)

    assert found == [order_no for _, order_no in sorted(expected)]

"""The contract of OrderStore's pages: what is due, and what is unsent."""

from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fakes import START, FakeClock
from kycourier.core import order as rules
from kycourier.core.models import OrderKey
from kycourier.core.order_record import OrderRecord, Reason, State
from kycourier.ports import Cursor, Page
from ports.order_bench import (
    APP,
    BUILD,
    DAMAGED,
    EVENT,
    LEASE,
    NEWER,
    SENT,
    TICK,
    Bench,
    collected,
    draft,
)
from stand_ins import STATE_KINDS


@pytest.fixture
def bench(kind: str, place: Path | str, clock: FakeClock) -> Bench:
    return BUILD[kind](place, clock)


class List(Protocol):
    def __call__(
        self, app_id: str, *, limit: int, after: Cursor | None = None
    ) -> Page: ...


def walk(page_of: List, *, limit: int = 100, app_id: str = APP) -> list[str]:
    """Read the order numbers of all pages."""
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
        (row("a", state=State.WAITING, reason=Reason.NOT_READY.value), True, False),
        (row("a", state=State.COLLECTING, owner="one"), True, False),
        (row("a", state=State.COLLECTED, events=(EVENT,)), False, True),
        (row("a", state=State.PARKED, events=(SENT, EVENT)), False, True),
        (row("a", state=State.REJECTED, events=(SENT,)), True, False),
        (row("a", state=State.WAITING, events=(EVENT,)), True, False),
    ],
    ids=[
        "registered",
        "waiting",
        "collecting whose lease may have ended",
        "final with an event to send",
        "final with one of two events to send",
        "final with a folder to tidy",
        "reopened before its event was sent",
    ],
)
def test_row_is_listed_by_what_it_needs(bench, record, in_due, in_unsent):
    bench.store.register(record)

    assert walk(bench.store.due) == (["a"] if in_due else [])
    assert walk(bench.store.unsent) == (["a"] if in_unsent else [])


def test_row_is_listed_by_what_it_needs_since_the_last_commit(bench):
    claimed = bench.claim().record
    done = collected(claimed, bench.clock)
    bench.store.commit(done, expected=claimed)
    bench.clock.sleep(LEASE.total_seconds())
    assert (walk(bench.store.due), walk(bench.store.unsent)) == ([], ["order1"])

    bench.store.commit(rules.mark_sent(done, now=bench.clock.now()), expected=done)

    assert (walk(bench.store.due), walk(bench.store.unsent)) == ([], [])


@pytest.mark.parametrize(
    ("record", "listing"),
    [
        (row("a"), "due"),
        (row("a", state=State.COLLECTED, events=(EVENT,)), "unsent"),
    ],
)
def test_row_is_listed_from_the_instant_it_is_due(bench, record, listing):
    bench.store.register(replace(record, due_at=START + TICK))

    assert walk(getattr(bench.store, listing)) == []
    bench.clock.set(START + TICK)
    assert walk(getattr(bench.store, listing)) == ["a"]


def test_row_that_is_never_due_is_not_listed(bench):
    bench.store.register(replace(row("a"), due_at=None))
    bench.store.register(
        replace(row("b", state=State.COLLECTED, events=(EVENT,)), due_at=None)
    )
    bench.clock.sleep(1e9)

    assert (walk(bench.store.due), walk(bench.store.unsent)) == ([], [])


def test_other_apps_rows_are_not_listed(bench):
    bench.store.register(replace(row("a"), app_id="SANDBOX2"))

    assert walk(bench.store.due) == []
    assert walk(bench.store.due, app_id="SANDBOX2") == ["a"]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("listing", ["due", "unsent"])
def test_pages_give_each_row_once_the_longest_due_first(bench, listing, limit):
    final = (
        {"state": State.COLLECTED, "events": (EVENT,)} if listing == "unsent" else {}
    )
    bench.clock.set(START + timedelta(seconds=10))
    for order_no, seconds in [("d", 3), ("b", 2), ("a", 9), ("c", 2), ("e", 1)]:
        due_at = START + timedelta(seconds=seconds, microseconds=1)
        bench.store.register(replace(row(order_no, **final), due_at=due_at))

    page_of = getattr(bench.store, listing)

    assert walk(page_of, limit=limit) == ["e", "b", "c", "d", "a"]


def test_last_page_has_no_next(bench):
    bench.store.register(row("a"))

    assert bench.store.due(APP, limit=2).next is None
    assert bench.store.due(APP, limit=2) == Page((row("a"),), None)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("record", [NEWER, *DAMAGED])
def test_pages_pass_over_rows_that_cannot_be_read(bench, record, limit):
    for order_no in "abcdef":
        bench.store.register(row(order_no))
    for order_no in "abde":
        bench.overwrite(OrderKey(APP, order_no), record)

    assert walk(bench.store.due, limit=limit) == ["c", "f"]


INSTANTS = st.integers(0, 3).map(lambda us: START + us * TICK) | st.none()


@pytest.mark.parametrize("kind", STATE_KINDS)
@settings(max_examples=15, deadline=None)
@given(
    due_times=st.lists(INSTANTS, max_size=12),
    limit=st.integers(1, 5),
    passed=st.integers(0, 4),
)
def test_pages_are_the_due_rows_in_order(kind, due_times, limit, passed, stage):
    clock = FakeClock(START + passed * TICK)
    bench = BUILD[kind](stage(kind), clock)
    expected = []
    for number, due_at in enumerate(due_times):
        bench.store.register(replace(row(f"{number:02}"), due_at=due_at))
        if due_at is not None and due_at <= clock.now():
            expected.append((due_at, f"{number:02}"))

    found = walk(bench.store.due, limit=limit)

    assert found == [order_no for _, order_no in sorted(expected)]

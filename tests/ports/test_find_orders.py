"""The contract of OrderStore's search: filters, order and pages."""

import random
from datetime import timedelta
from itertools import product

import pytest
from msgspec.structs import replace

from kycourier.core.causes import Cause, LastProblem
from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.errors import StaleOwnerError
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.pages import OrderFilter
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState
from support.fakes import START
from support.rigs.state_rig import DAMAGED, NEWER, StateRig
from support.sample_records import APP, EVENT, RESULT, draft

SECOND, TICK = timedelta(seconds=1), timedelta(microseconds=1)
TIMED_OUT = LastProblem(cause=Cause.TIMED_OUT, at=START)
SENT = replace(EVENT, sent=True)


def register(rig: StateRig, order_no: str, age: int = 0, **changes: object) -> None:
    """Insert an order that was registered `age` seconds before START."""
    at = START - age * SECOND
    row = draft(order_no, **{"registered_at": at} | changes)
    assert rig.stores.orders.register(row).granted


def walk(rig: StateRig, *, limit: int = 100, app_id: str = APP, **wanted) -> list[str]:
    """Return the order numbers of all pages."""
    return [
        row.order_no for row in walk_rows(rig, limit, app_id, OrderFilter(**wanted))
    ]


def walk_rows(rig: StateRig, limit: int, app_id: str, wanted: OrderFilter):
    after = None
    for _ in range(1000):
        page = rig.stores.orders.find(app_id, wanted, limit=limit, after=after)
        assert len(page.records) <= limit
        yield from page.records
        after = page.next
        if after is None:
            return
    raise AssertionError("the pages do not end")


def in_state(state: OrderState) -> dict[str, object]:
    """Return the members of a row in this state; a final one has an event to send."""
    return {"state": state, "events": (EVENT,) if state.is_final else ()}


def test_empty_store_has_one_empty_page(rig):
    for state in (None, *OrderState):
        page = rig.stores.orders.find(
            APP, OrderFilter(state=state), limit=5, after=None
        )
        assert (page.records, page.next, page.unreadable) == ((), None, 0)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_list_each_order_once_newest_first(rig, limit):
    for order_no, age in [("b", 2), ("A", 1), ("c", 2), ("a", 2), ("d", 0), ("e", 9)]:
        register(rig, order_no, age)

    assert walk(rig, limit=limit) == ["d", "A", "c", "b", "a", "e"]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_each_state_is_found_alone_and_with_all(rig, limit):
    for age, state in enumerate(OrderState):
        register(rig, state.value, age, **in_state(state))

    for state in OrderState:
        assert walk(rig, limit=limit, state=state) == [state.value]
    assert walk(rig, limit=limit) == [state.value for state in OrderState]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, "abcd"),
        (START - 2 * SECOND, None, "abc"),
        (START - 2 * SECOND + TICK, None, "ab"),
        (None, START - SECOND, "cd"),
        (None, START - SECOND + TICK, "bcd"),
        (START - 2 * SECOND, START - SECOND, "c"),
        (START, START, ""),
        (START, START - SECOND, ""),
        (START - timedelta(days=365_000), START + timedelta(days=365_000), "abcd"),
        (None, START - timedelta(days=365_000), ""),
        (START - timedelta(days=40_000), START - timedelta(days=30_000), ""),
    ],
)
@pytest.mark.parametrize("state", [None, OrderState.REGISTERED, OrderState.PARKED])
def test_since_is_included_and_until_is_not(rig, since, until, expected, state):
    for age, order_no in enumerate("abcd"):
        register(rig, order_no, age, **in_state(state or OrderState.REGISTERED))

    assert walk(rig, limit=2, since=since, until=until, state=state) == list(expected)


def test_filter_members_combine(rig):
    made = {}
    problems = {Cause.TIMED_OUT: TIMED_OUT, None: None}
    combinations = product(OrderState, problems, range(2))
    for number, (state, cause, age) in enumerate(combinations):
        order_no = f"n{number:02}"
        made[order_no] = (state, cause, age)
        last = problems[cause]
        register(rig, order_no, age, **in_state(state), last_problem=last)

    for state, cause, since in product(
        (None, *OrderState), (None, Cause.TIMED_OUT, Cause.TLS_FAILED), (None, START)
    ):
        expected = {
            order_no
            for order_no, (of_state, of_cause, age) in made.items()
            if state in {None, of_state}
            and cause in {None, of_cause}
            and (since is None or age == 0)
        }
        found = walk(rig, limit=5, state=state, cause=cause, since=since)
        assert set(found) == expected
        assert len(found) == len(expected)
    assert walk(rig, document=DEFAULT_DOCUMENT) == walk(rig)


@pytest.mark.parametrize("state", [None, OrderState.COLLECTED])
def test_orders_of_other_apps_are_not_found(rig, state):
    mine, theirs = (in_state(OrderState.COLLECTED) for _ in range(2))
    register(rig, "a", **mine)
    for app_id in ("SANDBOX2", "SANDBOX", "SANDBOX11"):
        register(rig, "b", app_id=app_id, **theirs)

    assert walk(rig, state=state) == ["a"]
    assert walk(rig, state=state, app_id="SANDBOX2") == ["b"]
    assert walk(rig, state=state, app_id="SANDBOX3") == []


@pytest.mark.parametrize("record", [NEWER, *DAMAGED])
@pytest.mark.parametrize("state", [None, OrderState.PARKED])
def test_unreadable_rows_are_skipped_and_counted(rig, record, state):
    for age, order_no in enumerate("abcde"):
        register(rig, order_no, age, **in_state(OrderState.PARKED))
    for order_no in "abd":
        rig.overwrite_order(OrderKey(APP, order_no), record)

    wanted = OrderFilter(state=state)
    first = rig.stores.orders.find(APP, wanted, limit=1, after=None)
    rest = rig.stores.orders.find(APP, wanted, limit=9, after=first.next)

    pages = [
        ([row.order_no for row in each.records], each.unreadable)
        for each in (first, rest)
    ]
    assert pages == [(["c"], 2), (["e"], 1)]
    assert rest.next is None


def change(rig: StateRig, record: OrderRecord, state: OrderState) -> OrderRecord:
    """Commit the order in another state, as the use cases do."""
    after = replace(
        record,
        state=state,
        version=record.version + 1,
        due_at=START + SECOND,
        events=(EVENT,) if state.is_final else (),
    )
    rig.stores.orders.commit(after, expected=record)
    return after


def test_order_is_found_in_its_new_state_only_after_each_change(rig):
    row = rig.claim().record
    for state in (
        OrderState.WAITING,
        OrderState.PARKED,
        OrderState.WAITING,  # an operator reopened it
        OrderState.COLLECTING,
        OrderState.COLLECTED,
    ):
        row = change(rig, row, state)
        for each in OrderState:
            assert walk(rig, state=each) == (["order1"] if each is state else [])
        assert walk(rig) == ["order1"]


def test_final_order_is_found_while_its_event_is_sent_and_after_the_orphan_check(rig):
    row = rig.claim().record
    row = change(rig, row, OrderState.COLLECTED)
    for changes in ({"events": (SENT,)}, {"orphans_checked": True, "due_at": None}):
        after = replace(row, version=row.version + 1, **changes)
        rig.stores.orders.commit(after, expected=row)
        row = after
        assert walk(rig, state=OrderState.COLLECTED) == walk(rig) == ["order1"]


def test_refused_commit_moves_nothing(rig):
    row = rig.claim().record
    with pytest.raises(StaleOwnerError):
        rig.stores.orders.commit(
            replace(row, state=OrderState.PARKED), expected=replace(row, fence=99)
        )

    assert walk(rig, state=OrderState.COLLECTING) == ["order1"]
    assert walk(rig, state=OrderState.PARKED) == []


@pytest.mark.parametrize("seed", range(4))
def test_no_order_is_missed_or_shown_twice_while_orders_change(rig, seed):
    rng = random.Random(seed)  # noqa: S311 - repeatable, no secret
    rows = {f"n{number:02}": rng.randrange(5) for number in range(24)}
    for order_no, age in rows.items():
        register(rig, order_no, age)
    wanted = OrderFilter()

    found = []
    for row in walk_rows(rig, rng.choice((1, 2, 5)), APP, wanted):
        found.append(row.order_no)
        victim = OrderKey(APP, rng.choice(list(rows)))
        record = rig.stores.orders.get(victim)
        change(rig, record, rng.choice(list(OrderState)))
        if rng.random() < 0.3:
            register(rig, f"late{len(found)}", age=-1)  # is newer: on no later page

    assert found == sorted(rows, key=lambda each: (-rows[each], each), reverse=True)


def test_orders_that_match_throughout_are_all_found_while_others_leave(rig):
    for age, order_no in enumerate("abcdefgh"):
        register(rig, order_no, age, **in_state(OrderState.PARKED))

    found = []
    for row in walk_rows(rig, 2, APP, OrderFilter(state=OrderState.PARKED)):
        found.append(row.order_no)
        if row.order_no in "bdf":  # it has been shown: an operator reopens it
            change(rig, row, OrderState.WAITING)

    assert found == list("abcdefgh")
    assert walk(rig, state=OrderState.PARKED) == list("acegh")


def test_rare_cause_makes_short_pages_that_go_on(rig, monkeypatch):
    monkeypatch.setattr("kycourier.adapters.stores.found_index.MAX_READ", 7)
    monkeypatch.setattr("kycourier.adapters.stores.found_index._BATCH", 7)
    for age in range(20):
        last = TIMED_OUT if age in {3, 19} else None
        register(rig, f"n{age:02}", age, last_problem=last)

    wanted, after, pages = OrderFilter(cause=Cause.TIMED_OUT), None, []
    for _ in range(3):
        page = rig.stores.orders.find(APP, wanted, limit=9, after=after)
        pages.append([row.order_no for row in page.records])
        after = page.next

    assert pages == [["n03"], [], ["n19"]]
    assert after is None


def test_order_registered_by_a_claim_is_found_by_its_registration(rig):
    rig.clock.sleep(5)
    claimed = rig.claim(registered_at=rig.clock.now()).record

    assert claimed.registered_at == START + 5 * SECOND
    assert walk(rig, since=START + 5 * SECOND) == ["order1"]
    assert walk(rig, until=START + 5 * SECOND) == []


def test_finished_order_keeps_its_place(rig):
    for age, order_no in enumerate("abc"):
        register(rig, order_no, age)
    row = rig.stores.orders.get(OrderKey(APP, "b"))
    done = rules.finish(
        row,
        state=OrderState.COLLECTED,
        reason=None,
        result=RESULT,
        event=EVENT,
        now=START + 60 * SECOND,
    )
    rig.stores.orders.commit(done, expected=row)

    assert walk(rig, limit=1) == ["a", "b", "c"]

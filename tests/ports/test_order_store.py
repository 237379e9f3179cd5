"""The contract of OrderStore without its pages, run on every implementation."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from kycourier.core.causes import Cause, LastProblem
from kycourier.core.errors import (
    NewerSchemaError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.pages import Claim
from kycourier.core.orders.record import OrderRecord, OrderState
from kycourier.core.orders.state_machine import Urgency
from kycourier.ports import OrderStore
from support.fakes import START
from support.rigs.state_rig import DAMAGED, LEASE, NEWER, StateRig, collected
from support.sample_records import APP, EVENT, draft

KEY = draft().key
TICK = timedelta(microseconds=1)
LATER = START + timedelta(minutes=10)
TRACEPARENT = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"


@pytest.fixture
def orders(rig: StateRig) -> OrderStore:
    return rig.stores.orders


# now


def test_now_is_the_stores_clock_in_utc(rig, orders):
    assert orders.now() == rig.clock.now()
    assert orders.now().utcoffset() == timedelta(0)


# register and get


@pytest.mark.parametrize("urgency", [Urgency.DUE, Urgency.NOW])
def test_registering_changes_neither_a_waiting_nor_a_claimed_order(
    rig, orders, urgency
):
    there = rig.claim(urgency=urgency, due_at=LATER).record
    other = draft(deadline_at=START + timedelta(days=9))

    assert orders.register(other) == Claim(there, granted=False)
    assert orders.get(KEY) == there


def test_same_order_no_of_another_app_is_another_order(orders):
    orders.register(draft())
    other = draft(app_id="SANDBOX2")

    assert orders.get(other.key) is None
    assert orders.register(other).granted


def test_every_field_is_read_back(orders):
    at = START + timedelta(days=1, microseconds=1)
    record = OrderRecord(
        app_id=APP,
        order_no="order1",
        registered_at=START,
        updated_at=at,
        deadline_at=at,
        state=OrderState.PARKED,
        reason="unknown_code",
        version=12,
        fence=5,
        owner="one",
        lease_ends_at=at,
        due_at=at,
        attempts=4,
        tries=3,
        unknown_tries=2,
        photo_tries=1,
        photos_since=at,
        credentials_since=at,
        failing_since=at,
        last_problem=LastProblem(
            cause=Cause.PHOTO_UNREADABLE, at=at, count=3, detail="original"
        ),
        folder="2026/01/01/a",
        traceparent=TRACEPARENT,
        events=(EVENT, replace(EVENT, id="e2", sent=True, body='{"name":"识别"}')),
        orphans_checked=True,
        photos_gone=("number",),
    )

    assert orders.register(record) == Claim(record, granted=True)
    assert orders.get(KEY) == record


# claim

both_ways = pytest.mark.parametrize("urgency", [Urgency.NOW, Urgency.NOTIFIED])


def test_unknown_order_is_inserted_and_claimed(rig, orders):
    claim = rig.claim(urgency=Urgency.NOTIFIED)

    assert claim.granted
    assert claim.record.state is OrderState.COLLECTING
    assert claim.record.owner == "one"
    assert claim.record.fence > draft().fence
    assert claim.record.lease_ends_at == rig.clock.now() + LEASE
    assert claim.record.folder == "2026/01/01/a"
    assert orders.get(KEY) == claim.record


def test_unknown_order_not_yet_due_is_inserted_unclaimed(rig, orders):
    due_later = draft(due_at=LATER)

    claim = rig.claim(urgency=Urgency.DUE, due_at=LATER)

    assert claim == Claim(due_later, granted=False)
    assert orders.get(KEY) == due_later


@both_ways
def test_registered_order_is_claimed_as_stored(rig, orders, urgency):
    stored = draft(traceparent=TRACEPARENT)
    orders.register(stored)

    claim = rig.claim(urgency=urgency)

    assert claim.granted
    assert claim.record.traceparent == stored.traceparent


@both_ways
@pytest.mark.parametrize("owner", ["one", "two"])
def test_claimed_order_is_returned_unchanged_until_its_lease_ends(
    rig, orders, owner, urgency
):
    first = rig.claim(owner="one")
    rig.clock.set(START + LEASE + timedelta(seconds=rig.margin_seconds) - TICK)

    second = rig.claim(owner=owner, urgency=urgency)

    assert second == Claim(first.record, granted=False)
    assert orders.get(KEY) == first.record


def test_order_is_claimed_exactly_at_its_leases_end_with_a_higher_fence(rig):
    first = rig.claim(owner="one", folder="first")
    rig.clock.set(START + LEASE + timedelta(seconds=rig.margin_seconds))

    second = rig.claim(owner="two", folder="second")

    assert second.granted
    assert second.record.owner == "two"
    assert second.record.fence > first.record.fence
    assert second.record.version > first.record.version
    assert second.record.folder == "first"


@both_ways
def test_final_order_is_not_claimed(rig, orders, urgency):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)
    orders.commit(done, expected=claimed)
    rig.clock.sleep(3600)

    again = rig.claim(owner="two", urgency=urgency)
    assert again == Claim(done, granted=False)


@both_ways
def test_one_of_many_concurrent_claims_wins(rig, orders, at_once, urgency):
    claims = at_once(lambda one: rig.claim(owner=f"w{one}", urgency=urgency))

    granted = [claim.record for claim in claims if claim.granted]
    assert len(granted) == 1
    assert {claim.record.owner for claim in claims} == {granted[0].owner}
    assert orders.get(KEY) == granted[0]


# commit


def test_commit_replaces_the_expected_row(rig, orders):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)

    orders.commit(done, expected=claimed)

    assert orders.get(KEY) == done


def test_commit_over_another_version_is_rejected_unchanged(rig, orders):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)
    orders.commit(done, expected=claimed)

    with pytest.raises(StaleOwnerError):
        orders.commit(rules.make_due(claimed, now=rig.clock.now()), expected=claimed)

    assert orders.get(KEY) == done


def test_commit_with_another_fence_is_rejected_unchanged(rig, orders):
    claimed = rig.claim().record
    stale = replace(claimed, fence=claimed.fence - 1)

    with pytest.raises(StaleOwnerError):
        orders.commit(collected(stale, rig.clock), expected=stale)

    assert orders.get(KEY) == claimed


def test_replaced_worker_cannot_commit_but_the_new_one_can(rig, orders):
    paused = rig.claim(owner="one").record
    rig.clock.sleep(LEASE.total_seconds() + rig.margin_seconds)
    later = rig.claim(owner="two").record
    done = collected(later, rig.clock)

    with pytest.raises(StaleOwnerError):
        orders.commit(collected(paused, rig.clock), expected=paused)
    orders.commit(done, expected=later)

    assert orders.get(KEY) == done


def test_commit_of_a_missing_order_is_rejected(orders):
    with pytest.raises(StaleOwnerError):
        orders.commit(draft(), expected=draft())

    assert orders.get(KEY) is None


def test_one_of_many_concurrent_commits_wins(rig, orders, winners):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)

    won = winners(
        lambda worker: orders.commit(
            replace(done, reason=f"w{worker}"), expected=claimed
        )
    )

    assert [f"w{worker}" for worker in won] == [orders.get(KEY).reason]


# rows that cannot be read


READS = {
    "get": lambda rig: rig.stores.orders.get(KEY),
    "register": lambda rig: rig.stores.orders.register(draft()),
    "claim": lambda rig: rig.claim(),
}


@pytest.mark.parametrize("read", READS)
def test_row_of_a_newer_schema_is_an_error(rig, orders, read):
    orders.register(draft())
    rig.overwrite_order(KEY, NEWER)

    with pytest.raises(NewerSchemaError):
        READS[read](rig)


@pytest.mark.parametrize("record", DAMAGED)
@pytest.mark.parametrize("read", READS)
def test_damaged_row_is_store_unavailable(rig, orders, read, record):
    orders.register(draft())
    rig.overwrite_order(KEY, record)

    with pytest.raises(StoreUnavailableError) as failure:
        READS[read](rig)

    assert failure.value.__context__ is None


# poison


def test_poison_keeps_source_and_problem(rig, orders):
    orders.record_poison(APP, source="queue", problem="malformed_json")
    orders.record_poison(APP, source="queue", problem="malformed_json")
    orders.record_poison(APP, source="ckafka", problem="bad_order_no")

    assert rig.poison() == {
        (APP, "queue", "malformed_json"),
        (APP, "ckafka", "bad_order_no"),
    }

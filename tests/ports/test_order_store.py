"""The contract of OrderStore without its pages, run on every implementation."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from kycourier.core.errors import (
    NewerSchemaError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.orders import state_machine as rules
from kycourier.core.orders.record import OrderKey, OrderRecord, OrderState
from kycourier.core.orders.state_machine import Urgency
from kycourier.ports import Claim
from support.fakes import START, FakeClock
from support.rigs.order_store_rig import (
    APP,
    DAMAGED,
    EVENT,
    KEY,
    LEASE,
    NEWER,
    OPEN_RIG,
    SENT,
    TICK,
    OrderStoreRig,
    collected,
    draft,
)


@pytest.fixture
def rig(kind: str, location: Path | str, clock: FakeClock) -> OrderStoreRig:
    return OPEN_RIG[kind](location, clock)


# now


def test_now_is_the_stores_clock_in_utc(rig):
    assert rig.store.now() == rig.clock.now()
    assert rig.store.now().utcoffset() == timedelta(0)


# register and load


def test_unknown_order_is_none(rig):
    assert rig.store.get(KEY) is None


def test_registered_order_is_read_back_whole(rig):
    assert rig.store.register(draft()) == Claim(draft(), granted=True)
    assert rig.store.get(KEY) == draft()


def test_order_registered_again_is_returned_unchanged(rig):
    rig.store.register(draft())
    other = replace(draft(), deadline_at=START + timedelta(days=9))

    assert rig.store.register(other) == Claim(draft(), granted=False)
    assert rig.store.get(KEY) == draft()


def test_registering_does_not_change_a_claimed_order(rig):
    claimed = rig.claim().record

    assert rig.store.register(draft()) == Claim(claimed, granted=False)
    assert rig.store.get(KEY) == claimed


def test_same_order_no_of_another_app_is_another_order(rig):
    rig.store.register(draft())
    other = OrderKey("SANDBOX2", KEY.order_no)

    assert rig.store.get(other) is None
    assert rig.store.register(draft(other)).granted


def test_every_field_is_read_back(rig):
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
        folder="2026/01/01/a",
        traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01",
        events=(EVENT, replace(SENT, id="e2", body='{"name":"识别"}')),
        orphans_checked=True,
    )
    rig.store.register(record)

    assert rig.store.get(KEY) == record


# claim

both_ways = pytest.mark.parametrize("urgency", [Urgency.NOW, Urgency.NOTIFIED])


def test_unknown_order_is_inserted_and_claimed(rig):
    claim = rig.claim(urgency=Urgency.NOTIFIED)

    assert claim.granted
    assert claim.record.state is OrderState.COLLECTING
    assert claim.record.owner == "one"
    assert claim.record.fence > draft().fence
    assert claim.record.lease_ends_at == rig.clock.now() + LEASE
    assert claim.record.folder == "2026/01/01/a"
    assert rig.store.get(KEY) == claim.record


def test_unknown_order_not_yet_due_is_inserted_unclaimed(rig):
    claim = rig.claim(urgency=Urgency.DUE)

    assert claim == Claim(draft(), granted=False)
    assert rig.store.get(KEY) == draft()


@both_ways
def test_registered_order_is_claimed_as_stored(rig, urgency):
    stored = replace(draft(), traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    rig.store.register(stored)

    claim = rig.claim(urgency=urgency)

    assert claim.granted
    assert claim.record.traceparent == stored.traceparent


@both_ways
def test_claimed_order_is_returned_unchanged_until_its_lease_ends(rig, urgency):
    first = rig.claim(owner="one")
    rig.clock.set(START + LEASE + rig.margin - TICK)

    second = rig.claim(owner="two", urgency=urgency)
    assert second == Claim(first.record, granted=False)
    assert rig.store.get(KEY) == first.record


def test_order_is_claimed_exactly_at_its_leases_end_with_a_higher_fence(rig):
    first = rig.claim(owner="one", folder="first")
    rig.clock.set(START + LEASE + rig.margin)

    second = rig.claim(owner="two", folder="second")

    assert second.granted
    assert second.record.owner == "two"
    assert second.record.fence > first.record.fence
    assert second.record.version > first.record.version
    assert second.record.folder == "first"


def test_worker_does_not_claim_its_order_twice(rig):
    rig.claim(owner="one")

    assert not rig.claim(owner="one").granted


@both_ways
def test_final_order_is_not_claimed(rig, urgency):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)
    rig.store.commit(done, expected=claimed)
    rig.clock.sleep(3600)

    again = rig.claim(owner="two", urgency=urgency)
    assert again == Claim(done, granted=False)


@both_ways
def test_one_of_many_concurrent_claims_wins(rig, at_once, urgency):
    claims = at_once(lambda one: rig.claim(owner=f"w{one}", urgency=urgency))

    granted = [claim.record for claim in claims if claim.granted]
    assert len(granted) == 1
    assert {claim.record.owner for claim in claims} == {granted[0].owner}
    assert rig.store.get(KEY) == granted[0]


# commit


def test_commit_replaces_the_expected_row(rig):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)

    rig.store.commit(done, expected=claimed)

    assert rig.store.get(KEY) == done


def test_commit_over_another_version_is_rejected_unchanged(rig):
    claimed = rig.claim().record
    done = collected(claimed, rig.clock)
    rig.store.commit(done, expected=claimed)

    with pytest.raises(StaleOwnerError):
        rig.store.commit(rules.make_due(claimed, now=rig.clock.now()), expected=claimed)

    assert rig.store.get(KEY) == done


def test_commit_with_another_fence_is_rejected_unchanged(rig):
    claimed = rig.claim().record
    stale = replace(claimed, fence=claimed.fence - 1)

    with pytest.raises(StaleOwnerError):
        rig.store.commit(collected(stale, rig.clock), expected=stale)

    assert rig.store.get(KEY) == claimed


def test_replaced_worker_cannot_commit_but_the_new_one_can(rig):
    paused = rig.claim(owner="one").record
    rig.clock.sleep((LEASE + rig.margin).total_seconds())
    later = rig.claim(owner="two").record
    done = collected(later, rig.clock)

    with pytest.raises(StaleOwnerError):
        rig.store.commit(collected(paused, rig.clock), expected=paused)
    rig.store.commit(done, expected=later)

    assert rig.store.get(KEY) == done


def test_commit_of_a_missing_order_is_rejected(rig):
    with pytest.raises(StaleOwnerError):
        rig.store.commit(draft(), expected=draft())

    assert rig.store.get(KEY) is None


def test_one_of_many_concurrent_commits_wins(rig, at_once):
    claimed = rig.claim().record

    def commit(worker: int) -> str | None:
        record = replace(collected(claimed, rig.clock), reason=f"w{worker}")
        try:
            rig.store.commit(record, expected=claimed)
        except StaleOwnerError:
            return None
        return record.reason

    won = [reason for reason in at_once(commit) if reason]

    assert won == [rig.store.get(KEY).reason]


# rows that cannot be read


READS = {
    "load": lambda rig: rig.store.get(KEY),
    "register": lambda rig: rig.store.register(draft()),
    "claim": lambda rig: rig.claim(),
}


@pytest.mark.parametrize("read", READS)
def test_row_of_a_newer_schema_is_an_error(rig, read):
    rig.store.register(draft())
    rig.overwrite(KEY, NEWER)

    with pytest.raises(NewerSchemaError):
        READS[read](rig)


@pytest.mark.parametrize("record", DAMAGED)
@pytest.mark.parametrize("read", READS)
def test_damaged_row_is_store_unavailable(rig, read, record):
    rig.store.register(draft())
    rig.overwrite(KEY, record)

    with pytest.raises(StoreUnavailableError) as failure:
        READS[read](rig)

    assert failure.value.__context__ is None


# poison


def test_poison_keeps_source_and_problem(rig):
    rig.store.record_poison(APP, source="queue", problem="malformed_json")
    rig.store.record_poison(APP, source="queue", problem="malformed_json")
    rig.store.record_poison(APP, source="ckafka", problem="bad_order_no")

    assert rig.poison() == {
        (APP, "queue", "malformed_json"),
        (APP, "ckafka", "bad_order_no"),
    }

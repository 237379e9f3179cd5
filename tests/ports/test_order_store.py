"""The contract of OrderStore, held to by every implementation (pages: see there)."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from fakes import START, FakeClock
from kycourier.core import order as rules
from kycourier.core.errors import NewerSchema, StaleOwner, StoreUnavailable
from kycourier.core.models import OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, State
from kycourier.ports import Claim
from ports.order_bench import (
    APP,
    BUILD,
    DAMAGED,
    EVENT,
    KEY,
    LEASE,
    NEWER,
    SENT,
    TICK,
    Bench,
    collected,
    draft,
)


@pytest.fixture
def bench(kind: str, place: Path | str, clock: FakeClock) -> Bench:
    return BUILD[kind](place, clock)


# now


def test_now_is_the_stores_clock_in_utc(bench):
    assert bench.store.now() == bench.clock.now()
    assert bench.store.now().utcoffset() == timedelta(0)


# register and load


def test_unknown_order_is_none(bench):
    assert bench.store.load(KEY) is None


def test_registered_order_is_granted_and_read_back_whole(bench):
    assert bench.store.register(draft()) == Claim(draft(), granted=True)
    assert bench.store.load(KEY) == draft()


def test_order_registered_again_is_given_as_it_is(bench):
    bench.store.register(draft())
    other = replace(draft(), deadline_at=START + timedelta(days=9))

    assert bench.store.register(other) == Claim(draft(), granted=False)
    assert bench.store.load(KEY) == draft()


def test_order_that_is_worked_on_is_not_disturbed_by_registering_it(bench):
    claimed = bench.claim().record

    assert bench.store.register(draft()) == Claim(claimed, granted=False)
    assert bench.store.load(KEY) == claimed


def test_same_number_of_another_app_is_another_order(bench):
    bench.store.register(draft())
    other = OrderKey("SANDBOX2", KEY.order_no)

    assert bench.store.load(other) is None
    assert bench.store.register(draft(other)).granted


def test_every_field_is_read_back(bench):
    at = START + timedelta(days=1, microseconds=1)
    record = OrderRecord(
        app_id=APP,
        order_no="order1",
        registered_at=START,
        updated_at=at,
        deadline_at=at,
        state=State.PARKED,
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
        tidied=True,
    )
    bench.store.register(record)

    assert bench.store.load(KEY) == record


# claim

both_ways = pytest.mark.parametrize("urgency", [Urgency.NOW, Urgency.NOTIFIED])


def test_unknown_order_is_inserted_and_taken(bench):
    claim = bench.claim(urgency=Urgency.NOTIFIED)

    assert claim.granted
    assert claim.record.state is State.COLLECTING
    assert claim.record.owner == "one"
    assert claim.record.fence > draft().fence
    assert claim.record.lease_ends_at == bench.clock.now() + LEASE
    assert claim.record.folder == "2026/01/01/a"
    assert bench.store.load(KEY) == claim.record


def test_unknown_order_that_may_not_be_taken_yet_is_inserted_all_the_same(bench):
    claim = bench.claim(urgency=Urgency.DUE)

    assert claim == Claim(draft(), granted=False)
    assert bench.store.load(KEY) == draft()


@both_ways
def test_registered_order_is_taken_as_it_is_stored(bench, urgency):
    stored = replace(draft(), traceparent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    bench.store.register(stored)

    claim = bench.claim(urgency=urgency)

    assert claim.granted
    assert claim.record.traceparent == stored.traceparent


@both_ways
def test_order_of_another_worker_is_given_as_it_is_until_its_lease_ends(bench, urgency):
    first = bench.claim(owner="one")
    bench.clock.set(START + LEASE + bench.margin - TICK)

    second = bench.claim(owner="two", urgency=urgency)
    assert second == Claim(first.record, granted=False)
    assert bench.store.load(KEY) == first.record


def test_order_is_taken_over_exactly_at_its_leases_end_with_a_higher_fence(bench):
    first = bench.claim(owner="one", folder="first")
    bench.clock.set(START + LEASE + bench.margin)

    second = bench.claim(owner="two", folder="second")

    assert second.granted
    assert second.record.owner == "two"
    assert second.record.fence > first.record.fence
    assert second.record.version > first.record.version
    assert second.record.folder == "first"


def test_worker_does_not_take_its_own_order_twice(bench):
    bench.claim(owner="one")

    assert not bench.claim(owner="one").granted


@both_ways
def test_final_order_is_not_taken(bench, urgency):
    claimed = bench.claim().record
    done = collected(claimed, bench.clock)
    bench.store.commit(done, expected=claimed)
    bench.clock.sleep(3600)

    again = bench.claim(owner="two", urgency=urgency)
    assert again == Claim(done, granted=False)


@both_ways
def test_one_of_many_at_once_takes_the_order(bench, at_once, urgency):
    claims = at_once(lambda one: bench.claim(owner=f"w{one}", urgency=urgency))

    granted = [claim.record for claim in claims if claim.granted]
    assert len(granted) == 1
    assert {claim.record.owner for claim in claims} == {granted[0].owner}
    assert bench.store.load(KEY) == granted[0]


# commit


def test_commit_replaces_the_row_it_was_made_from(bench):
    claimed = bench.claim().record
    done = collected(claimed, bench.clock)

    bench.store.commit(done, expected=claimed)

    assert bench.store.load(KEY) == done


def test_commit_over_another_version_is_refused_and_the_row_stands(bench):
    claimed = bench.claim().record
    done = collected(claimed, bench.clock)
    bench.store.commit(done, expected=claimed)

    with pytest.raises(StaleOwner):
        bench.store.commit(
            rules.make_due(claimed, now=bench.clock.now()), expected=claimed
        )

    assert bench.store.load(KEY) == done


def test_commit_with_another_fence_is_refused_and_the_row_stands(bench):
    claimed = bench.claim().record
    stale = replace(claimed, fence=claimed.fence - 1)

    with pytest.raises(StaleOwner):
        bench.store.commit(collected(stale, bench.clock), expected=stale)

    assert bench.store.load(KEY) == claimed


def test_worker_that_was_replaced_commits_nothing_and_the_new_one_commits(bench):
    paused = bench.claim(owner="one").record
    bench.clock.sleep((LEASE + bench.margin).total_seconds())
    later = bench.claim(owner="two").record
    done = collected(later, bench.clock)

    with pytest.raises(StaleOwner):
        bench.store.commit(collected(paused, bench.clock), expected=paused)
    bench.store.commit(done, expected=later)

    assert bench.store.load(KEY) == done


def test_commit_of_an_order_that_is_not_there_is_refused(bench):
    with pytest.raises(StaleOwner):
        bench.store.commit(draft(), expected=draft())

    assert bench.store.load(KEY) is None


def test_one_of_many_commits_over_a_row_wins(bench, at_once):
    claimed = bench.claim().record

    def commit(worker: int) -> str | None:
        record = replace(collected(claimed, bench.clock), reason=f"w{worker}")
        try:
            bench.store.commit(record, expected=claimed)
        except StaleOwner:
            return None
        return record.reason

    won = [reason for reason in at_once(commit) if reason]

    assert won == [bench.store.load(KEY).reason]


# rows that cannot be read


READS = {
    "load": lambda bench: bench.store.load(KEY),
    "register": lambda bench: bench.store.register(draft()),
    "claim": lambda bench: bench.claim(),
}


@pytest.mark.parametrize("read", READS)
def test_row_of_a_newer_release_is_left_alone(bench, read):
    bench.store.register(draft())
    bench.overwrite(KEY, NEWER)

    with pytest.raises(NewerSchema):
        READS[read](bench)


@pytest.mark.parametrize("record", DAMAGED)
@pytest.mark.parametrize("read", READS)
def test_damaged_row_is_the_stores_failure_and_shows_nothing(bench, read, record):
    bench.store.register(draft())
    bench.overwrite(KEY, record)

    with pytest.raises(StoreUnavailable) as failure:
        READS[read](bench)

    assert failure.value.__context__ is None


# poison


def test_poison_keeps_where_from_and_why(bench):
    bench.store.record_poison(APP, source="queue", problem="malformed_json")
    bench.store.record_poison(APP, source="queue", problem="malformed_json")
    bench.store.record_poison(APP, source="ckafka", problem="bad_order_no")

    assert bench.poison() == {
        (APP, "queue", "malformed_json"),
        (APP, "ckafka", "bad_order_no"),
    }

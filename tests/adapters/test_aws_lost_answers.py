"""A write is done once and whole, though its answer is lost or its call hindered."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from aws.bench import Bench
from aws.proxy import Answer, Call, Forward, cut, done_then_cut, failing
from kycourier.core.brake import Brake
from kycourier.core.errors import StaleOwner, StoreUnavailable
from kycourier.core.models import OrderKey
from kycourier.core.ticket import refresh_lease
from records import APP, draft, pair, settled

ASKED = 4  # three attempts, the first on a kept connection, which is opened anew once


def register(dynamo: Bench) -> None:
    dynamo.proxy.plan("UpdateItem", done_then_cut)
    assert dynamo.stores.orders.register(draft()).granted
    assert dynamo.stores.orders.load(OrderKey(APP, "order1")) == draft()


def claim_anew(dynamo: Bench) -> None:
    dynamo.proxy.plan("UpdateItem", done_then_cut)
    claimed = dynamo.claim()
    assert claimed.attempts == 1
    assert dynamo.stores.orders.load(claimed.key) == claimed


def claim_known(dynamo: Bench) -> None:
    dynamo.stores.orders.register(draft())
    claim_anew(dynamo)


def commit(dynamo: Bench) -> None:
    claimed = dynamo.claim()
    dynamo.proxy.plan("UpdateItem", done_then_cut)
    dynamo.stores.orders.commit(settled(claimed), expected=claimed)
    assert dynamo.stores.orders.load(claimed.key) == settled(claimed)


def acquire(dynamo: Bench) -> None:
    dynamo.proxy.plan("UpdateItem", done_then_cut)
    lease = dynamo.stores.leases.acquire("trial", owner="one", seconds=15)
    assert lease is not None
    again = dynamo.stores.leases.acquire("trial", owner="one", seconds=15)
    assert (again.fence, again.ends_at) == (lease.fence, lease.ends_at)


def release(dynamo: Bench) -> None:
    lease = dynamo.stores.leases.acquire("trial", owner="one", seconds=15)
    dynamo.proxy.plan("UpdateItem", done_then_cut)
    dynamo.stores.leases.release("trial", lease=lease)
    assert dynamo.stores.leases.acquire("trial", owner="two", seconds=15)


def save(dynamo: Bench) -> None:
    lease = dynamo.stores.leases.acquire(refresh_lease(APP), owner="one", seconds=15)
    dynamo.proxy.plan("UpdateItem", done_then_cut)
    dynamo.stores.tickets.save(APP, pair(), expected_generation=0, lease=lease)
    assert dynamo.stores.tickets.load(APP) == pair()


def trip(dynamo: Bench) -> None:
    dynamo.proxy.plan("UpdateItem", done_then_cut)
    dynamo.stores.brakes.trip(APP, Brake(trips=1, version=1), expected_version=0)
    assert dynamo.stores.brakes.load(APP) == Brake(trips=1, version=1)


def resume(dynamo: Bench) -> None:
    dynamo.stores.brakes.trip(APP, Brake(trips=1, version=1), expected_version=0)
    dynamo.proxy.plan("UpdateItem", done_then_cut)
    dynamo.stores.brakes.release(APP)
    assert dynamo.stores.brakes.load(APP) == Brake(version=2)


WRITES = [
    register, claim_anew, claim_known, commit, acquire, release, save, trip, resume
]  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
def test_write_whose_answer_was_lost_is_repeated_and_found_done(dynamo, write):
    write(dynamo)

    asked = dynamo.proxy.asked("UpdateItem")
    assert [one for one, then in pairwise(asked) if one == then]


def test_write_that_another_made_meanwhile_is_not_taken_for_ones_own(dynamo):
    claimed = dynamo.claim()
    other = replace(settled(claimed), reason="other")

    def hinder(_call: Call, _forward: Forward) -> None:
        dynamo.stores.orders.commit(other, expected=claimed)

    dynamo.proxy.plan("UpdateItem", hinder)

    with pytest.raises(StaleOwner):
        dynamo.stores.orders.commit(settled(claimed), expected=claimed)

    assert dynamo.stores.orders.load(claimed.key) == other


def test_write_that_never_gets_an_answer_fails_and_is_whole(dynamo):
    claimed = dynamo.claim()
    dynamo.proxy.plan("UpdateItem", *[done_then_cut] * ASKED)

    with pytest.raises(StoreUnavailable) as failure:
        dynamo.stores.orders.commit(settled(claimed), expected=claimed)

    assert failure.value.reason == "no answer"
    assert failure.value.__context__ is None
    assert dynamo.stores.orders.load(claimed.key) == settled(claimed)


@pytest.mark.parametrize(
    ("plays", "reason"),
    [
        ([cut] * ASKED, "no answer"),
        ([failing("InternalServerError", 500)] * 3, "InternalServerError"),
        ([failing("AccessDeniedException")], "denied dynamodb:UpdateItem on a table"),
    ],
)
def test_write_that_never_comes_through_leaves_the_row_as_it_was(dynamo, plays, reason):
    claimed = dynamo.claim()
    dynamo.proxy.plan("UpdateItem", *plays)

    with pytest.raises(StoreUnavailable) as failure:
        dynamo.stores.orders.commit(settled(claimed), expected=claimed)

    assert failure.value.reason == reason
    assert dynamo.stores.orders.load(claimed.key) == claimed


@pytest.mark.parametrize("hindrances", [1, 4])
def test_claim_that_others_hinder_decides_again(dynamo, hindrances):
    dynamo.stores.orders.register(draft())
    dynamo.proxy.plan(
        "UpdateItem", *[failing("ConditionalCheckFailedException")] * hindrances
    )

    assert dynamo.claim().version == 2


def test_claim_and_resume_that_others_hinder_for_ever_give_up(dynamo):
    refusals = [failing("ConditionalCheckFailedException")] * 5
    for attempt in (dynamo.claim, lambda: dynamo.stores.brakes.release(APP)):
        dynamo.proxy.plan("UpdateItem", *refusals)

        with pytest.raises(StoreUnavailable, match="contended"):
            attempt()

    assert len(dynamo.proxy.asked("UpdateItem")) == 2 * len(refusals)
    assert dynamo.items() == {}


def test_lease_that_came_and_went_while_one_asked_is_not_given_twice(dynamo):
    leases = dynamo.stores.leases
    leases.release("trial", lease=leases.acquire("trial", owner="one", seconds=15))
    given = []

    def overtake(call: Call, forward: Forward) -> Answer:
        given.append(leases.acquire("trial", owner="two", seconds=15))
        leases.release("trial", lease=given[0])
        return forward(call)

    dynamo.proxy.plan("UpdateItem", overtake)

    assert leases.acquire("trial", owner="three", seconds=15) is None
    later = leases.acquire("trial", owner="three", seconds=15)
    assert later.fence == given[0].fence + 1


def test_brake_that_was_resumed_while_a_worker_tripped_it_stays_clean(dynamo):
    brakes = dynamo.stores.brakes
    brakes.trip(APP, Brake(trips=1, version=1), expected_version=0)

    def overtake(call: Call, forward: Forward) -> Answer:
        brakes.release(APP)
        return forward(call)

    dynamo.proxy.plan("UpdateItem", overtake)

    with pytest.raises(StaleOwner):
        brakes.trip(APP, Brake(trips=2, version=2), expected_version=1)

    assert brakes.load(APP) == Brake(version=2)

"""A write is applied once and whole despite lost responses and contention."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.errors import StaleOwnerError, StoreUnavailableError
from kycourier.core.leases import refresh_lease
from kycourier.core.orders.record import OrderKey
from support.aws.aws_proxy import (
    AwsCall,
    AwsResponse,
    Forward,
    drop_call,
    drop_response,
    respond_error,
)
from support.aws.dynamo_rig import DynamoRig
from support.sample_records import APP, draft, make_pair, settled

ATTEMPTS = 4  # three, and the replacement of the dead kept connection


def register(dynamo: DynamoRig) -> None:
    dynamo.proxy.plan("UpdateItem", drop_response)
    assert dynamo.stores.orders.register(draft()).granted
    assert dynamo.stores.orders.get(OrderKey(APP, "order1")) == draft()


def claim_anew(dynamo: DynamoRig) -> None:
    dynamo.proxy.plan("UpdateItem", drop_response)
    claimed = dynamo.claim()
    assert claimed.attempts == 1
    assert dynamo.stores.orders.get(claimed.key) == claimed


def claim_known(dynamo: DynamoRig) -> None:
    dynamo.stores.orders.register(draft())
    claim_anew(dynamo)


def commit(dynamo: DynamoRig) -> None:
    claimed = dynamo.claim()
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.orders.commit(settled(claimed), expected=claimed)
    assert dynamo.stores.orders.get(claimed.key) == settled(claimed)


def acquire(dynamo: DynamoRig) -> None:
    dynamo.proxy.plan("UpdateItem", drop_response)
    lease = dynamo.stores.leases.acquire("trial", owner="one", seconds=15)
    assert lease is not None
    again = dynamo.stores.leases.acquire("trial", owner="one", seconds=15)
    assert (again.fence, again.ends_at) == (lease.fence, lease.ends_at)


def release(dynamo: DynamoRig) -> None:
    lease = dynamo.stores.leases.acquire("trial", owner="one", seconds=15)
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.leases.release("trial", lease=lease)
    assert dynamo.stores.leases.acquire("trial", owner="two", seconds=15)


def save(dynamo: DynamoRig) -> None:
    lease = dynamo.stores.leases.acquire(refresh_lease(APP), owner="one", seconds=15)
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.tickets.put(APP, make_pair(), expected_generation=0, lease=lease)
    assert dynamo.stores.tickets.get(APP) == make_pair()


def trip(dynamo: DynamoRig) -> None:
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.breakers.open(
        APP, BreakerRecord(openings=1, version=1), expected_version=0
    )
    assert dynamo.stores.breakers.get(APP) == BreakerRecord(openings=1, version=1)


def resume(dynamo: DynamoRig) -> None:
    dynamo.stores.breakers.open(
        APP, BreakerRecord(openings=1, version=1), expected_version=0
    )
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.breakers.close(APP)
    assert dynamo.stores.breakers.get(APP) == BreakerRecord(version=2)


WRITES = [
    register, claim_anew, claim_known, commit, acquire, release, save, trip, resume
]  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
def test_write_with_a_lost_response_is_repeated_and_recognized(dynamo, write):
    write(dynamo)

    sent = dynamo.proxy.requests_to("UpdateItem")
    assert [one for one, then in pairwise(sent) if one == then]


def test_concurrent_write_is_not_mistaken_for_the_own_write(dynamo):
    claimed = dynamo.claim()
    other = replace(settled(claimed), reason="other")

    def overtake(_call: AwsCall, _forward: Forward) -> None:
        dynamo.stores.orders.commit(other, expected=claimed)

    dynamo.proxy.plan("UpdateItem", overtake)

    with pytest.raises(StaleOwnerError):
        dynamo.stores.orders.commit(settled(claimed), expected=claimed)

    assert dynamo.stores.orders.get(claimed.key) == other


def test_write_without_any_response_fails_but_is_applied_whole(dynamo):
    claimed = dynamo.claim()
    dynamo.proxy.plan("UpdateItem", *[drop_response] * ATTEMPTS)

    with pytest.raises(StoreUnavailableError) as failure:
        dynamo.stores.orders.commit(settled(claimed), expected=claimed)

    assert failure.value.reason == "no response"
    assert failure.value.__context__ is None
    assert dynamo.stores.orders.get(claimed.key) == settled(claimed)


@pytest.mark.parametrize(
    ("scripts", "reason"),
    [
        ([drop_call] * ATTEMPTS, "no response"),
        ([respond_error("InternalServerError", 500)] * 3, "InternalServerError"),
        (
            [respond_error("AccessDeniedException")],
            "denied dynamodb:UpdateItem on a table",
        ),
    ],
)
def test_failed_write_leaves_the_row_unchanged(dynamo, scripts, reason):
    claimed = dynamo.claim()
    dynamo.proxy.plan("UpdateItem", *scripts)

    with pytest.raises(StoreUnavailableError) as failure:
        dynamo.stores.orders.commit(settled(claimed), expected=claimed)

    assert failure.value.reason == reason
    assert dynamo.stores.orders.get(claimed.key) == claimed


@pytest.mark.parametrize("conflicts", [1, 4])
def test_contended_claim_is_retried(dynamo, conflicts):
    dynamo.stores.orders.register(draft())
    dynamo.proxy.plan(
        "UpdateItem", *[respond_error("ConditionalCheckFailedException")] * conflicts
    )

    assert dynamo.claim().version == 2


def test_permanently_contended_claim_and_release_fail(dynamo):
    refusals = [respond_error("ConditionalCheckFailedException")] * 5
    for attempt in (dynamo.claim, lambda: dynamo.stores.breakers.close(APP)):
        dynamo.proxy.plan("UpdateItem", *refusals)

        with pytest.raises(StoreUnavailableError, match="contended"):
            attempt()

    assert len(dynamo.proxy.requests_to("UpdateItem")) == 2 * len(refusals)
    assert dynamo.items() == {}


def test_lease_taken_and_released_meanwhile_is_not_granted_twice(dynamo):
    leases = dynamo.stores.leases
    leases.release("trial", lease=leases.acquire("trial", owner="one", seconds=15))
    given = []

    def overtake(call: AwsCall, forward: Forward) -> AwsResponse:
        given.append(leases.acquire("trial", owner="two", seconds=15))
        leases.release("trial", lease=given[0])
        return forward(call)

    dynamo.proxy.plan("UpdateItem", overtake)

    assert leases.acquire("trial", owner="three", seconds=15) is None
    later = leases.acquire("trial", owner="three", seconds=15)
    assert later.fence == given[0].fence + 1


def test_breaker_released_meanwhile_stays_closed(dynamo):
    breakers = dynamo.stores.breakers
    breakers.open(APP, BreakerRecord(openings=1, version=1), expected_version=0)

    def overtake(call: AwsCall, forward: Forward) -> AwsResponse:
        breakers.close(APP)
        return forward(call)

    dynamo.proxy.plan("UpdateItem", overtake)

    with pytest.raises(StaleOwnerError):
        breakers.open(APP, BreakerRecord(openings=2, version=2), expected_version=1)

    assert breakers.get(APP) == BreakerRecord(version=2)

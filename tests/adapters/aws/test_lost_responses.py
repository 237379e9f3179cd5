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
    drop_response,
    respond_error,
)
from support.aws.dynamo_rig import DynamoRig
from support.sample_records import APP, draft, make_pair, settled

ATTEMPTS = 4  # three, and the replacement of the dead kept connection


LEASE = refresh_lease(APP)
BREAKER = BreakerRecord(openings=1, version=1)


def register(dynamo: DynamoRig) -> None:
    dynamo.proxy.plan("UpdateItem", drop_response)
    assert dynamo.stores.orders.register(draft()).granted
    assert dynamo.stores.orders.get(OrderKey(APP, "order1")) == draft()


def claim_new(dynamo: DynamoRig) -> None:
    dynamo.proxy.plan("UpdateItem", drop_response)
    claimed = dynamo.claim()
    assert claimed.attempts == 1
    assert dynamo.stores.orders.get(claimed.key) == claimed


def claim_registered(dynamo: DynamoRig) -> None:
    dynamo.stores.orders.register(draft())
    claim_new(dynamo)


def commit(dynamo: DynamoRig) -> None:
    claimed = dynamo.claim()
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.orders.commit(settled(claimed), expected=claimed)
    assert dynamo.stores.orders.get(claimed.key) == settled(claimed)


def acquire(dynamo: DynamoRig) -> None:
    dynamo.proxy.plan("UpdateItem", drop_response)
    lease = dynamo.lease("one")
    again = dynamo.lease("one")
    assert (again.fence, again.ends_at) == (lease.fence, lease.ends_at)


def release(dynamo: DynamoRig) -> None:
    lease = dynamo.lease("one")
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.leases.release(LEASE, lease=lease)
    dynamo.lease("two")


def save_pair(dynamo: DynamoRig) -> None:
    lease = dynamo.lease("one")
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.tickets.put(APP, make_pair(), expected_generation=0, lease=lease)
    assert dynamo.stores.tickets.get(APP) == make_pair()


def open_breaker(dynamo: DynamoRig) -> None:
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.breakers.open(APP, BREAKER, expected_version=0)
    assert dynamo.stores.breakers.get(APP) == BREAKER


def close_breaker(dynamo: DynamoRig) -> None:
    dynamo.stores.breakers.open(APP, BREAKER, expected_version=0)
    dynamo.proxy.plan("UpdateItem", drop_response)
    dynamo.stores.breakers.close(APP)
    assert dynamo.stores.breakers.get(APP) == BreakerRecord(version=2)


WRITES = [
    register, claim_new, claim_registered, commit, acquire, release, save_pair,
    open_breaker, close_breaker,
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


def test_denied_write_names_its_permission(dynamo):
    dynamo.proxy.plan("UpdateItem", respond_error("AccessDeniedException"))

    with pytest.raises(
        StoreUnavailableError, match="denied dynamodb:UpdateItem on a table"
    ):
        dynamo.stores.orders.register(draft())


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
    leases, taken = dynamo.stores.leases, []
    leases.release(LEASE, lease=dynamo.lease("one"))

    def overtake(call: AwsCall, forward: Forward) -> AwsResponse:
        taken.append(dynamo.lease("two"))
        leases.release(LEASE, lease=taken[0])
        return forward(call)

    dynamo.proxy.plan("UpdateItem", overtake)

    assert leases.acquire(LEASE, owner="three", seconds=15) is None
    assert dynamo.lease("three").fence == taken[0].fence + 1

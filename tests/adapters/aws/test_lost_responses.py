"""A write is applied once and whole despite lost responses and contention."""

import pytest
from msgspec.structs import replace

from kycourier.adapters.aws.dynamodb.table import MARKER
from kycourier.core.errors import StaleOwnerError, StoreUnavailableError
from kycourier.core.leases import refresh_lease
from support.aws.aws_proxy import (
    AwsCall,
    AwsResponse,
    Forward,
    drop_response,
    respond_error,
)
from support.aws.dynamo_rig import DynamoRig, open_dynamo_rig
from support.sample_records import APP, call_every_store_verb, claim, draft, settled

ATTEMPTS = 4  # three, and the replacement of the dead kept connection
LEASE = refresh_lease(APP)


def write_everything(dynamo: DynamoRig) -> None:
    """Make every write of every store."""
    call_every_store_verb(dynamo.stores)
    claimed = claim(dynamo.stores.orders, "order2")
    assert (claimed.granted, claimed.record.attempts) == (True, 1)
    lease = dynamo.lease("one")
    assert dynamo.lease("one").fence == lease.fence


def items_without_markers(dynamo: DynamoRig) -> dict[str, dict[str, object]]:
    """Return all items without the random marker of their last write."""
    return {
        key: {name: value for name, value in item.items() if name != MARKER}
        for key, item in dynamo.items().items()
    }


def test_write_with_a_lost_response_is_repeated_and_recognized(dynamo):
    undisturbed = open_dynamo_rig(dynamo.proxy, dynamo.url)
    write_everything(undisturbed)
    lost: list[object] = []

    def lose_first_response(call: AwsCall, forward: Forward) -> AwsResponse | None:
        key = call.json["Key"]["pk"]["S"]
        if call.json in lost or key.startswith("poison/"):  # only counted
            return forward(call)
        lost.append(call.json)
        return drop_response(call, forward)

    dynamo.proxy.plan("UpdateItem", *[lose_first_response] * 40)
    write_everything(dynamo)

    assert items_without_markers(dynamo) == items_without_markers(undisturbed)
    assert len(lost) == 10


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

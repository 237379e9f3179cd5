"""Rows that an older release wrote on Redis or DynamoDB are found after reindexing."""

import pytest

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.orders.pages import OrderFilter
from kycourier.core.orders.record import OrderKey, OrderState
from kycourier_devkit.orders.reindex import find_in_redis, find_in_table, write_again
from support.rigs.state_rig import DAMAGED
from support.sample_records import APP, EVENT, draft
from support.servers.emulators import EMULATOR_MARKS

SCANNED = [
    pytest.param(kind, marks=EMULATOR_MARKS)
    for kind in ("dynamodb", "dynalite", "redis")
]
PARKED = {"state": OrderState.PARKED, "events": (EVENT,)}


@pytest.fixture(params=SCANNED)
def kind(request):
    return request.param


@pytest.fixture
def unindexed(rig, kind):
    """Return a function that lists the orders without an entry."""
    orders = rig.stores.orders
    if kind == "redis":
        return lambda: sorted(find_in_redis(orders._client, APP))
    return lambda: sorted(find_in_table(orders._table, APP))


def found(rig):
    page = rig.stores.orders.find(
        APP, OrderFilter(state=OrderState.PARKED), limit=99, after=None
    )
    return sorted(row.order_no for row in page.records)


def test_ended_rows_are_found_after_being_written_again(rig, unindexed):
    names = [f"n{number:02}" for number in range(20)]
    for name in [*names, "kept"]:
        rig.stores.orders.register(draft(name, **PARKED))
    rig.stores.orders.register(draft("theirs", app_id="SANDBOX2", **PARKED))
    for name in names:
        rig.forget_index(OrderKey(APP, name))
    rig.forget_index(OrderKey("SANDBOX2", "theirs"))
    assert found(rig) == ["kept"]

    before = rig.stores.orders.get(OrderKey(APP, "n00"))
    assert unindexed() == names
    assert all(write_again(rig.stores.orders, OrderKey(APP, name)) for name in names)

    assert found(rig) == ["kept", *names]
    assert unindexed() == []
    after = rig.stores.orders.get(OrderKey(APP, "n00"))
    assert (after.version, after.events) == (before.version + 1, before.events)


def test_row_that_another_writes_is_left_to_it(rig):
    claimed = rig.claim().record

    assert not write_again(rig.stores.orders, OrderKey(APP, "order1"))
    assert not write_again(rig.stores.orders, OrderKey(APP, "absent"))
    assert rig.stores.orders.get(OrderKey(APP, "order1")) == claimed


def test_damaged_row_is_named_and_left(rig, unindexed):
    rig.stores.orders.register(draft("n1", **PARKED))
    rig.forget_index(OrderKey(APP, "n1"))
    rig.overwrite_order(OrderKey(APP, "n1"), DAMAGED[1])

    assert unindexed() == ["n1"]
    with pytest.raises(StoreUnavailableError):
        write_again(rig.stores.orders, OrderKey(APP, "n1"))

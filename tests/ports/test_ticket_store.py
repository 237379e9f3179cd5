"""The contract of TicketStore, run on every implementation."""

from datetime import datetime, timedelta, timezone

import pytest

from kycourier.core.errors import (
    NewerSchemaError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.redaction import Secret
from kycourier.core.tickets.pair import TicketPair
from kycourier.ports import TicketStore
from support.rigs.state_rig import StateRig
from support.sample_records import APP


@pytest.fixture
def tickets(rig: StateRig) -> TicketStore:
    return rig.stores.tickets


def pair(generation: int, ticket: str = "ticket") -> TicketPair:
    return TicketPair(
        generation=generation,
        obtained_at=datetime(2026, 1, 1, 8, 30, 0, 123456, timezone.utc),
        expires_in=timedelta(seconds=3600.5),
        token=Secret("token"),
        ticket=Secret(ticket),
    )


def test_store_is_empty_at_first(tickets):
    assert tickets.get(APP) is None


def test_next_generation_replaces_the_expected_one(rig, tickets):
    lease = rig.lease("one")
    tickets.put(APP, pair(1), expected_generation=0, lease=lease)
    tickets.put(APP, pair(2, "next"), expected_generation=1, lease=lease)

    assert tickets.get(APP) == pair(2, "next")


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_save_over_another_generation_is_rejected_unchanged(rig, tickets, expected):
    lease = rig.lease("one")
    tickets.put(APP, pair(1), expected_generation=0, lease=lease)
    tickets.put(APP, pair(2), expected_generation=1, lease=lease)

    with pytest.raises(StaleOwnerError):
        tickets.put(APP, pair(4, "x"), expected_generation=expected, lease=lease)

    assert tickets.get(APP) == pair(2)


def test_first_save_that_expects_a_generation_is_rejected(rig, tickets):
    with pytest.raises(StaleOwnerError):
        tickets.put(APP, pair(2), expected_generation=1, lease=rig.lease("one"))

    assert tickets.get(APP) is None


def test_replaced_holder_cannot_save_but_the_new_one_can(rig, tickets, clock):
    paused = rig.lease("one")
    clock.sleep(15 + rig.margin_seconds)
    later = rig.lease("two")

    with pytest.raises(StaleOwnerError):
        tickets.put(APP, pair(1, "late"), expected_generation=0, lease=paused)
    tickets.put(APP, pair(1, "good"), expected_generation=0, lease=later)

    assert tickets.get(APP) == pair(1, "good")


def test_replaced_holder_cannot_save_after_the_new_holders_release(rig, tickets, clock):
    paused = rig.lease("one")
    clock.sleep(15 + rig.margin_seconds)
    rig.stores.leases.release(refresh_lease(APP), lease=rig.lease("two"))

    with pytest.raises(StaleOwnerError):
        tickets.put(APP, pair(1), expected_generation=0, lease=paused)


def test_ended_lease_without_a_successor_may_save(rig, tickets, clock):
    lease = rig.lease("one")
    clock.sleep(60)

    tickets.put(APP, pair(1), expected_generation=0, lease=lease)

    assert tickets.get(APP) == pair(1)


def test_pair_survives_a_change_of_lease_holder(rig, tickets, clock):
    tickets.put(APP, pair(1), expected_generation=0, lease=rig.lease("one"))
    clock.sleep(15 + rig.margin_seconds)
    rig.stores.leases.release(refresh_lease(APP), lease=rig.lease("two"))

    later = rig.lease("three")

    assert tickets.get(APP) == pair(1)
    tickets.put(APP, pair(2), expected_generation=1, lease=later)
    assert tickets.get(APP) == pair(2)


def test_unknown_lease_cannot_save(tickets, clock):
    invented = Lease(owner="one", fence=7, seen_at=clock.now(), ends_at=clock.now())

    with pytest.raises(StaleOwnerError):
        tickets.put(APP, pair(1), expected_generation=0, lease=invented)


def test_apps_have_separate_pairs_and_fences(rig, tickets, clock):
    mine = rig.lease("one")
    for _ in range(3):
        rig.lease("one", "SANDBOX2")
        clock.sleep(15)

    tickets.put(APP, pair(1), expected_generation=0, lease=mine)

    assert tickets.get("SANDBOX2") is None


def test_one_of_many_concurrent_saves_wins(rig, tickets, winners):
    lease = rig.lease("one")

    won = winners(
        lambda worker: tickets.put(
            APP, pair(1, f"ticket{worker}"), expected_generation=0, lease=lease
        )
    )

    assert [tickets.get(APP)] == [pair(1, f"ticket{worker}") for worker in won]


def test_pair_of_a_newer_schema_is_an_error(rig, tickets):
    tickets.put(APP, pair(1), expected_generation=0, lease=rig.lease("one"))
    rig.overwrite_pair(APP, b'{"schema":2,"wrapped":"somehow else"}')

    with pytest.raises(NewerSchemaError):
        tickets.get(APP)


@pytest.mark.parametrize("record", [b"", b"{", b'{"schema":1}', b'{"schema":"\xff"}'])
def test_damaged_pair_is_store_unavailable(rig, tickets, record):
    tickets.put(APP, pair(1), expected_generation=0, lease=rig.lease("one"))
    rig.overwrite_pair(APP, record)

    with pytest.raises(StoreUnavailableError) as failure:
        tickets.get(APP)

    assert failure.value.__context__ is None

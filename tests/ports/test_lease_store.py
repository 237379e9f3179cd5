"""The contract of LeaseStore, held to by every implementation."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws.table import make_table, open_held
from fakes import FakeClock, MemoryLeaseStore
from kycourier.adapters.aws.leases import DynamoLeaseStore
from kycourier.adapters.local.leases import SqliteLeaseStore
from kycourier.adapters.redis.leases import RedisLeaseStore
from kycourier.ports import LeaseStore
from redis_bench import ServerOnFakeTime, empty
from stand_ins import STATE_KINDS

TICK = 1e-6


def build_dynamodb(url: str, clock: FakeClock) -> LeaseStore:
    return DynamoLeaseStore(open_held(url, make_table(url), clock))


def build_redis(url: str, clock: FakeClock) -> LeaseStore:
    return RedisLeaseStore(ServerOnFakeTime(empty(url), clock))


BUILD: dict[str, Callable[[Any, FakeClock], LeaseStore]] = {
    "memory": lambda _, clock: MemoryLeaseStore(clock),
    "sqlite": lambda folder, clock: SqliteLeaseStore(folder / "state.db", clock),
    "dynamodb": build_dynamodb,
    "dynalite": build_dynamodb,
    "bench_table": build_dynamodb,
    "redis": build_redis,
}
MARGINS = {  # seconds from a lease's end to the next owner
    "dynamodb": 3,
    "dynalite": 3,
    "bench_table": 3,
}


@pytest.fixture
def leases(kind: str, place: Path | str, clock: FakeClock) -> LeaseStore:
    return BUILD[kind](place, clock)


@pytest.fixture
def margin(kind: str) -> int:
    return MARGINS.get(kind, 0)


def test_first_owner_is_given_a_lease_by_the_stores_clock(leases, clock):
    lease = leases.acquire("refresh/A", owner="one", seconds=15)

    assert lease is not None
    assert lease.owner == "one"
    assert lease.fence >= 1
    assert lease.seen_at == clock.now()
    assert lease.ends_at == clock.now() + timedelta(seconds=15)


def test_another_owner_is_given_none_until_the_lease_ends(leases, clock, margin):
    leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(15 + margin - TICK)

    assert leases.acquire("refresh/A", owner="two", seconds=15) is None


def test_lease_is_over_exactly_at_its_end(leases, clock, margin):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(15 + margin)

    second = leases.acquire("refresh/A", owner="two", seconds=15)

    assert second.fence > first.fence
    assert second.ends_at == clock.now() + timedelta(seconds=15)


def test_holder_is_given_its_lease_as_it_stands_and_not_a_longer_one(leases, clock):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(10)

    again = leases.acquire("refresh/A", owner="one", seconds=15)

    assert (again.fence, again.ends_at) == (first.fence, first.ends_at)
    assert again.seen_at == clock.now()
    assert again.remaining_seconds() == 5


def test_owner_whose_lease_ended_is_a_new_holder(leases, clock):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(15)

    assert leases.acquire("refresh/A", owner="one", seconds=15).fence > first.fence


def test_released_lease_is_free_at_once_and_its_fence_is_remembered(leases):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    leases.release("refresh/A", lease=first)

    second = leases.acquire("refresh/A", owner="two", seconds=15)

    assert second.fence > first.fence


def test_owner_that_released_is_a_new_holder(leases):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    leases.release("refresh/A", lease=first)

    assert leases.acquire("refresh/A", owner="one", seconds=15).fence > first.fence


def test_late_release_does_not_end_the_next_holders_lease(leases, clock, margin):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(15 + margin)
    second = leases.acquire("refresh/A", owner="two", seconds=15)

    leases.release("refresh/A", lease=first)

    assert leases.acquire("refresh/A", owner="three", seconds=15) is None
    assert leases.acquire("refresh/A", owner="two", seconds=15).fence == second.fence


def test_releasing_twice_and_releasing_the_unknown_change_nothing(leases):
    lease = leases.acquire("refresh/A", owner="one", seconds=15)
    leases.release("refresh/A", lease=lease)
    leases.release("refresh/A", lease=lease)
    leases.release("refresh/B", lease=lease)

    assert leases.acquire("refresh/A", owner="two", seconds=15).fence > lease.fence
    assert leases.acquire("refresh/B", owner="two", seconds=15) is not None


def test_lease_of_no_seconds_keeps_nobody_out(leases):
    first = leases.acquire("pause/A", owner="one", seconds=0)
    second = leases.acquire("pause/A", owner="two", seconds=0)

    assert first.remaining_seconds() == second.remaining_seconds() == 0
    assert leases.acquire("pause/A", owner="three", seconds=15).fence >= second.fence


def test_looking_at_a_lease_with_none_of_ones_own_hinders_nobody(leases, at_once):
    given_to = at_once(
        lambda worker: leases.acquire("pause/A", owner=f"w{worker}", seconds=0)
    )

    assert None not in given_to


def test_names_do_not_hinder_one_another(leases):
    assert leases.acquire("refresh/A", owner="one", seconds=15) is not None
    assert leases.acquire("refresh/B", owner="two", seconds=15) is not None


def test_one_of_many_at_once_is_given_the_lease(leases, at_once):
    given_to = at_once(
        lambda worker: leases.acquire("refresh/A", owner=f"w{worker}", seconds=15)
    )

    assert sum(lease is not None for lease in given_to) == 1


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("acquire"), st.sampled_from(["one", "two", "three"])),
        st.tuples(st.just("release"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 2.0, 4.999999, 5.0, 7.25])),
    ),
    max_size=25,
)


@pytest.mark.parametrize("kind", STATE_KINDS)
@settings(max_examples=20, deadline=None)
@given(steps=STEPS)
def test_there_is_one_holder_and_each_new_ones_fence_is_higher(kind, steps, stage):
    clock, margin = FakeClock(), timedelta(seconds=MARGINS.get(kind, 0))
    leases = BUILD[kind](stage(kind), clock)
    given_out, held = [], None
    for step, value in steps:
        if step == "wait":
            clock.sleep(value)
        elif step == "release" and given_out:
            lease = given_out[value % len(given_out)]
            leases.release("trial/A", lease=lease)
            held = None if held and held.fence == lease.fence else held
        elif step == "acquire":
            lease = leases.acquire("trial/A", owner=value, seconds=5)
            if held and held.owner == value and held.ends_at > clock.now():
                assert (lease.fence, lease.ends_at) == (held.fence, held.ends_at)
            elif held and held.owner != value and held.ends_at + margin > clock.now():
                assert lease is None
            else:
                assert lease.fence > max((each.fence for each in given_out), default=0)
                given_out.append(lease)
                held = lease

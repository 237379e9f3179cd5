"""The contract of LeaseStore, run on every implementation."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kycourier.ports import LeaseStore
from support.fakes import FakeClock
from support.rigs.state_rig import StateRig, open_state_rig
from support.servers.emulators import STATE_KINDS

TICK = 1e-6


@pytest.fixture
def leases(rig: StateRig) -> LeaseStore:
    return rig.stores.leases


@pytest.fixture
def margin(rig: StateRig) -> int:
    return rig.margin_seconds


def test_first_owner_acquires_a_lease_on_the_stores_clock(leases, clock):
    lease = leases.acquire("refresh/A", owner="one", seconds=15)

    assert lease is not None
    assert lease.owner == "one"
    assert lease.fence >= 1
    assert lease.seen_at == clock.now()
    assert lease.ends_at == clock.now() + timedelta(seconds=15)


def test_another_owner_acquires_nothing_until_the_lease_ends(leases, clock, margin):
    leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(15 + margin - TICK)

    assert leases.acquire("refresh/A", owner="two", seconds=15) is None


@pytest.mark.parametrize("owner", ["one", "two"])
def test_lease_ends_exactly_at_its_end(leases, clock, margin, owner):
    """Only another owner waits for the margin."""
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(15 + (margin if owner == "two" else 0))

    second = leases.acquire("refresh/A", owner=owner, seconds=15)

    assert second.fence > first.fence
    assert second.ends_at == clock.now() + timedelta(seconds=15)


def test_holder_gets_its_present_lease_without_extension(leases, clock):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(10)

    again = leases.acquire("refresh/A", owner="one", seconds=15)

    assert (again.fence, again.ends_at) == (first.fence, first.ends_at)
    assert again.seen_at == clock.now()
    assert again.remaining_seconds() == 5


@pytest.mark.parametrize("owner", ["one", "two"])
def test_released_lease_is_free_and_the_next_fence_is_higher(leases, owner):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    leases.release("refresh/A", lease=first)

    assert leases.acquire("refresh/A", owner=owner, seconds=15).fence > first.fence


def test_late_release_does_not_end_the_next_lease(leases, clock, margin):
    first = leases.acquire("refresh/A", owner="one", seconds=15)
    clock.sleep(15 + margin)
    second = leases.acquire("refresh/A", owner="two", seconds=15)

    leases.release("refresh/A", lease=first)

    assert leases.acquire("refresh/A", owner="three", seconds=15) is None
    assert leases.acquire("refresh/A", owner="two", seconds=15).fence == second.fence


def test_repeated_or_unknown_release_has_no_effect(leases):
    lease = leases.acquire("refresh/A", owner="one", seconds=15)
    leases.acquire("refresh/B", owner="two", seconds=15)
    leases.release("refresh/A", lease=lease)
    leases.release("refresh/A", lease=lease)
    leases.release("refresh/C", lease=lease)

    assert leases.acquire("refresh/A", owner="two", seconds=15).fence > lease.fence
    assert leases.acquire("refresh/B", owner="three", seconds=15) is None
    assert leases.acquire("refresh/C", owner="two", seconds=15) is not None


def test_lease_of_zero_seconds_excludes_nobody(leases):
    first = leases.acquire("pause/A", owner="one", seconds=0)
    second = leases.acquire("pause/A", owner="two", seconds=0)

    assert first.remaining_seconds() == second.remaining_seconds() == 0
    assert leases.acquire("pause/A", owner="three", seconds=15).fence >= second.fence


def test_concurrent_leases_of_zero_seconds_all_succeed(leases, at_once):
    given_to = at_once(
        lambda worker: leases.acquire("pause/A", owner=f"w{worker}", seconds=0)
    )

    assert None not in given_to


def test_one_of_many_concurrent_owners_acquires_the_lease(leases, at_once):
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
def test_one_holder_at_a_time_with_rising_fences(kind, steps, location_of):
    clock = FakeClock()
    rig = open_state_rig(kind, location_of(kind), clock)
    leases, margin = rig.stores.leases, timedelta(seconds=rig.margin_seconds)
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

"""The contract of the breaker store, run on every implementation."""

from datetime import datetime, timezone

import pytest

from kycourier.core.causes import Cause, LastProblem, Problem
from kycourier.core.circuit_breaker import BreakerRecord
from kycourier.core.errors import StaleOwnerError
from kycourier.ports import BreakerStore
from support.rigs.state_rig import StateRig
from support.sample_records import APP

AT = datetime(2026, 1, 1, 0, 5, 0, 654321, timezone.utc)
OPENED = BreakerRecord(
    failures=10,
    openings=2,
    open_until=AT,
    problem=Problem(Cause.HTTP_STATUS, http_status=503),
    refresh_problem=LastProblem(cause=Cause.REFRESH_REFUSED, code="400101", at=AT),
    version=1,
)
STOPPED = BreakerRecord(until_resumed=True, version=1)


@pytest.fixture
def breakers(rig: StateRig) -> BreakerStore:
    return rig.stores.breakers


def test_breaker_is_closed_at_first(breakers):
    assert breakers.get(APP) == BreakerRecord()


@pytest.mark.parametrize("record", [OPENED, STOPPED], ids=["opened", "stopped"])
def test_open_breaker_is_read_back_whole(breakers, record):
    breakers.open(APP, record, expected_version=0)

    assert breakers.get(APP) == record


@pytest.mark.parametrize("expected", [0, 2])
def test_write_over_another_version_is_rejected_unchanged(breakers, expected):
    breakers.open(APP, OPENED, expected_version=0)

    with pytest.raises(StaleOwnerError):
        breakers.open(APP, BreakerRecord(version=9), expected_version=expected)

    assert breakers.get(APP) == OPENED


def test_first_write_that_expects_a_version_is_rejected(breakers):
    with pytest.raises(StaleOwnerError):
        breakers.open(APP, OPENED, expected_version=1)


def test_write_over_the_expected_version_succeeds(breakers):
    breakers.open(APP, OPENED, expected_version=0)
    breakers.open(APP, BreakerRecord(failures=11, version=2), expected_version=1)

    assert breakers.get(APP) == BreakerRecord(failures=11, version=2)


def test_close_raises_the_version_so_that_an_earlier_write_is_rejected(breakers):
    breakers.open(APP, OPENED, expected_version=0)

    breakers.close(APP)

    closed = breakers.get(APP)
    assert closed == BreakerRecord(version=closed.version)
    assert closed.version > OPENED.version
    with pytest.raises(StaleOwnerError):
        breakers.open(APP, BreakerRecord(openings=3, version=2), expected_version=1)


def test_closed_breaker_stays_closed_when_closed_again(breakers):
    breakers.close(APP)

    assert breakers.get(APP) == BreakerRecord(version=breakers.get(APP).version)


def test_apps_have_separate_breakers(breakers):
    breakers.open(APP, OPENED, expected_version=0)
    breakers.close("SANDBOX2")

    assert breakers.get(APP) == OPENED
    assert not breakers.get("SANDBOX2").openings


def test_one_of_many_concurrent_writes_wins(breakers, winners):
    won = winners(
        lambda worker: breakers.open(
            APP, BreakerRecord(openings=worker + 1, version=1), expected_version=0
        )
    )

    assert [worker + 1 for worker in won] == [breakers.get(APP).openings]

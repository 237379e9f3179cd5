"""Leases are named by their app and purpose, and last by the store's clock."""

from datetime import datetime, timedelta, timezone

from kycourier.core import leases

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)


def names_of(app_id):
    return [
        leases.refresh_lease(app_id),
        leases.forced_refresh_lease(app_id),
        leases.refresh_backoff_lease(app_id),
        leases.refresh_failure_lease(app_id, 1),
        leases.refresh_failure_lease(app_id, 2),
        leases.trial_lease(app_id),
    ]


def test_names_are_the_same_in_every_release():
    """Workers of two releases compete for the same leases during a deployment."""
    assert names_of("IDA1") == [
        "refresh/IDA1",
        "forced/IDA1",
        "back-off/IDA1",
        "failure1/IDA1",
        "failure2/IDA1",
        "trial/IDA1",
    ]


def test_remaining_time_is_measured_from_the_stores_response():
    lease = leases.Lease(
        owner="one", fence=1, seen_at=AT, ends_at=AT + timedelta(seconds=15)
    )
    assert lease.remaining_seconds() == 15

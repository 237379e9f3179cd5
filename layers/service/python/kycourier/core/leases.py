"""Leases: what one is, and the names that this service takes them under."""

from datetime import datetime

from msgspec import Struct


class Lease(Struct, frozen=True, kw_only=True):
    """An exclusive right that ends by itself.

    `fence` rises with each new holder. Both instants are by the store's clock.
    """

    owner: str
    fence: int
    seen_at: datetime
    ends_at: datetime

    def remaining_seconds(self) -> float:
        """Returns how long the lease still lasted when the store responded."""
        return (self.ends_at - self.seen_at).total_seconds()


def refresh_lease(app_id: str) -> str:
    """Names the lease whose holder alone may refresh the app's ticket pair."""
    return f"refresh/{app_id}"


def forced_refresh_lease(app_id: str) -> str:
    """Names the lease that limits forced refreshes; nobody releases it."""
    return f"forced/{app_id}"


def refresh_backoff_lease(app_id: str) -> str:
    """Names the lease that is held while the fleet backs off from refreshing."""
    return f"back-off/{app_id}"


def refresh_failure_lease(app_id: str, number: int) -> str:
    """Names one recent failure: how many are held is how often refreshing failed."""
    return f"failure{number}/{app_id}"


def trial_lease(app_id: str) -> str:
    """Names the lease of the trial call that may close the circuit breaker."""
    return f"trial/{app_id}"

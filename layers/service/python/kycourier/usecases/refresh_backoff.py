"""Limits how often the fleet refreshes its ticket pair, by leases nobody releases."""

from kycourier.core.leases import (
    forced_refresh_lease,
    refresh_backoff_lease,
    refresh_failure_lease,
)
from kycourier.core.retry import full_jitter
from kycourier.core.timing import (
    FORCED_REFRESH_INTERVAL_SECONDS,
    REFRESH_BACKOFF_CACHE_SECONDS,
    REFRESH_BACKOFF_FIRST,
    REFRESH_BACKOFF_MAX,
    REFRESH_FAILURE_MEMORY_SECONDS,
)
from kycourier.ports import LeaseStore, RuntimeDeps
from kycourier.usecases.deadlines import Stopwatch

MAX_FAILURES = 5


class RefreshBackoff:
    """The fleet's back-off after failed refreshes, and its limit on forced ones."""

    def __init__(self, app_id: str, *, leases: LeaseStore, deps: RuntimeDeps) -> None:
        self._app_id, self._leases = app_id, leases
        self._clock, self._random = deps.clock, deps.random
        self._seen: Stopwatch | None = None

    def is_active(self) -> bool:
        """Checks whether the fleet backs off. Raises StoreUnavailableError."""
        seen = self._seen
        if seen is not None and seen.seconds() < REFRESH_BACKOFF_CACHE_SECONDS:
            return True
        name, owner = refresh_backoff_lease(self._app_id), self._random.nonce()
        if self._leases.acquire(name, owner=owner, seconds=0) is not None:
            return False
        self._seen = Stopwatch(self._clock)
        return True

    def may_force(self) -> bool:
        """Takes the fleet's one forced refresh a minute; the first goes at once.

        Raises StoreUnavailableError.
        """
        lease = self._leases.acquire(
            forced_refresh_lease(self._app_id),
            owner=self._random.nonce(),
            seconds=FORCED_REFRESH_INTERVAL_SECONDS,
        )
        return lease is not None

    def start(self) -> None:
        """Makes the fleet back off, from 2 s to a minute. Raises StoreUnavailableError.

        Each failure is a lease too: how many are held is how often it failed lately.
        """
        owner, failures = self._random.nonce(), 0
        while failures < MAX_FAILURES and not self._leases.acquire(
            refresh_failure_lease(self._app_id, failures),
            owner=owner,
            seconds=REFRESH_FAILURE_MEMORY_SECONDS,
        ):
            failures += 1
        delay = full_jitter(
            failures,
            first=REFRESH_BACKOFF_FIRST,
            draw=self._random.draw(),
            cap=REFRESH_BACKOFF_MAX,
        )
        self._leases.acquire(
            refresh_backoff_lease(self._app_id),
            owner=owner,
            seconds=delay.total_seconds(),
        )

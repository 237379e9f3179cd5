"""Applies the app's circuit breaker to every worker's calls (docs/upstream.md)."""

import threading
from contextlib import suppress
from datetime import timedelta

from msgspec import Struct

from kycourier.core.circuit_breaker import (
    BreakerRecord,
    BreakerState,
    Signal,
    after_call,
    state_of,
)
from kycourier.core.errors import (
    NewerSchemaError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.leases import Lease, trial_lease
from kycourier.core.timing import (
    BREAKER_CACHE_SECONDS,
    BREAKER_OPEN_MAX,
    BREAKER_RECORD_WAIT_SECONDS,
    BREAKER_TRIAL_SECONDS,
    BREAKER_TRIAL_WAIT,
)
from kycourier.ports import RuntimeDeps, Stores
from kycourier.usecases.deadlines import Stopwatch

_MAX_WRITES = 5


class Permit(Struct, frozen=True):
    """Permission to call, or the `pause` to keep; `trial` is a trial call's lease."""

    pause: timedelta | None = None
    trial: Lease | None = None


class CircuitBreaker:
    """One process's view of the app's breaker, at most 2 s old."""

    def __init__(self, app_id: str, *, stores: Stores, deps: RuntimeDeps) -> None:
        self._app_id = app_id
        self._breakers, self._leases = stores.breakers, stores.leases
        self._orders = stores.orders
        self._clock, self._random = deps.clock, deps.random
        self._event_log = deps.event_log
        self._cached: tuple[BreakerRecord, Stopwatch] | None = None
        self._recording = threading.Lock()

    def request_permit(self) -> Permit:
        """Requests permission to call.

        Raises:
            StoreUnavailableError: the store failed.
            NewerSchemaError: a newer release wrote the breaker.
        """
        breaker = self._read()
        match state_of(breaker, now=self._orders.now()):
            case BreakerState.CLOSED:
                return Permit()
            case BreakerState.OPEN:
                return Permit(pause=self._time_open(breaker))
            case BreakerState.HALF_OPEN:
                return self._request_trial()

    def _request_trial(self) -> Permit:
        """Takes the one trial call, unless another worker has or had it."""
        trial = self._leases.acquire(
            trial_lease(self._app_id),
            owner=self._random.nonce(),
            seconds=BREAKER_TRIAL_SECONDS,
        )
        if trial is None:
            return Permit(pause=BREAKER_TRIAL_WAIT)
        permit, self._cached = Permit(trial=trial), None
        breaker = self._read()
        state = state_of(breaker, now=self._orders.now())
        if state is BreakerState.HALF_OPEN:
            return permit
        self.release(permit)
        if state is BreakerState.CLOSED:
            return Permit()
        return Permit(pause=self._time_open(breaker))

    def is_stopped(self) -> bool:
        """Checks whether only an operator can close it. Raises as `request_permit`."""
        return self._read().until_resumed

    def open_for(self) -> timedelta | None:
        """Returns how long it stays open, or None. Raises as `request_permit`."""
        breaker = self._read()
        if state_of(breaker, now=self._orders.now()) is not BreakerState.OPEN:
            return None
        return self._time_open(breaker)

    def record(self, signal: Signal, *, min_open: timedelta) -> None:
        """Records one call's signal; a store that fails does not fail the call.

        Args:
            signal: What the call means for the app.
            min_open: The shortest pause that the platform asked for.
        """
        cached = self._cached
        if signal is Signal.SUCCESS and cached and _is_clean(cached[0]):
            return
        if not self._recording.acquire(timeout=BREAKER_RECORD_WAIT_SECONDS):
            return  # the thread that records hangs
        try:  # one at a time, so that this process loses no count
            self._write(signal, min_open)
        except (StoreUnavailableError, NewerSchemaError):
            self._cached = None
        finally:
            self._recording.release()

    def release(self, permit: Permit) -> None:
        """Ends a trial; if the store fails, its lease ends by itself."""
        if permit.trial is not None:
            with suppress(StoreUnavailableError):
                self._leases.release(trial_lease(self._app_id), lease=permit.trial)

    def resume(self) -> None:
        """Closes the breaker for an operator. Raises StoreUnavailableError."""
        self._breakers.close(self._app_id)
        self._cached = None
        self._event_log.emit("app_resumed", app_id=self._app_id)

    def _time_open(self, breaker: BreakerRecord) -> timedelta:
        """Returns how long it stays open; the maximum if an operator must close it."""
        if breaker.open_until is None or breaker.until_resumed:
            return BREAKER_OPEN_MAX
        return breaker.open_until - self._orders.now()

    def _read(self) -> BreakerRecord:
        cached = self._cached
        if cached is None or cached[1].seconds() >= BREAKER_CACHE_SECONDS:
            cached = (self._breakers.get(self._app_id), Stopwatch(self._clock))
            self._cached = cached
        return cached[0]

    def _write(self, signal: Signal, min_open: timedelta) -> None:
        for _ in range(_MAX_WRITES):
            before = self._breakers.get(self._app_id)
            breaker = after_call(
                before,
                signal,
                now=self._orders.now(),
                min_open=min_open,
                draw=self._random.draw(),
            )
            self._cached = (breaker, Stopwatch(self._clock))
            if breaker == before:
                return
            try:
                self._breakers.open(
                    self._app_id, breaker, expected_version=before.version
                )
            except StaleOwnerError:
                continue
            self._log_transition(before, breaker)
            return

    def _log_transition(self, before: BreakerRecord, breaker: BreakerRecord) -> None:
        if breaker.until_resumed:
            self._event_log.emit("app_stopped", app_id=self._app_id)
        elif breaker.openings > before.openings:
            seconds = self._time_open(breaker).total_seconds()
            self._event_log.emit(
                "breaker_opened", app_id=self._app_id, seconds=round(seconds, 1)
            )
        elif before.openings and not breaker.openings:
            self._event_log.emit("breaker_closed", app_id=self._app_id)


def _is_clean(breaker: BreakerRecord) -> bool:
    return breaker == BreakerRecord(version=breaker.version)

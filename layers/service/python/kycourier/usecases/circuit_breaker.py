"""Applies the app's circuit breaker to every worker's calls (docs/upstream.md)."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from msgspec import Struct

from kycourier.core.causes import Cause, LastProblem, Problem
from kycourier.core.circuit_breaker import (
    BreakerRecord,
    BreakerState,
    CallResult,
    Signal,
    after_call,
    after_refresh,
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
    """Permission to call, or the `pause` to keep and why; `trial` is its lease."""

    pause: timedelta | None = None
    problem: Problem = Problem(Cause.BREAKER_OPEN)
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
                return self._refuse(breaker)
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
        return Permit() if state is BreakerState.CLOSED else self._refuse(breaker)

    def _refuse(self, breaker: BreakerRecord) -> Permit:
        pause = self._time_open(breaker)
        if not breaker.until_resumed:
            return Permit(pause=pause)
        return Permit(pause=pause, problem=_problem_of(breaker))

    def stopped_by(self) -> Problem | None:
        """Returns why only an operator can close it. Raises as `request_permit`."""
        breaker = self._read()
        return _problem_of(breaker) if breaker.until_resumed else None

    def refresh_problem(self) -> LastProblem | None:
        """Returns why the last ticket refresh failed. Raises as `request_permit`."""
        return self._read().refresh_problem

    def open_for(self) -> timedelta | None:
        """Returns how long it stays open, or None. Raises as `request_permit`."""
        breaker = self._read()
        if state_of(breaker, now=self._orders.now()) is not BreakerState.OPEN:
            return None
        return self._time_open(breaker)

    def record(self, call: CallResult) -> None:
        """Records what a call means for the app."""
        cached = self._cached
        if call.signal is Signal.SUCCESS and cached and _is_clean(cached[0]):
            return
        draw = self._random.draw()
        self._change(
            lambda before: after_call(before, call, now=self._orders.now(), draw=draw)
        )

    def record_refresh(self, problem: Problem | None) -> None:
        """Records why a ticket refresh failed; None if it succeeded."""
        self._change(
            lambda before: after_refresh(before, problem, now=self._orders.now())
        )

    def _change(self, change: Callable[[BreakerRecord], BreakerRecord]) -> None:
        """Changes the stored record; a store that fails does not fail the call."""
        if not self._recording.acquire(timeout=BREAKER_RECORD_WAIT_SECONDS):
            return  # the thread that records hangs
        try:  # one at a time, so that this process loses no count
            self._write(change)
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

    def _write(self, change: Callable[[BreakerRecord], BreakerRecord]) -> None:
        for _ in range(_MAX_WRITES):
            before = self._breakers.get(self._app_id)
            breaker = change(before)
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
        if breaker.until_resumed and not before.until_resumed:
            self._event_log.emit(
                "app_stopped", app_id=self._app_id, **_problem_of(breaker).fields()
            )
        elif breaker.openings > before.openings:
            seconds = self._time_open(breaker).total_seconds()
            self._event_log.emit(
                "breaker_opened",
                app_id=self._app_id,
                seconds=round(seconds, 1),
                **_problem_of(breaker).fields(),
            )
        elif before.openings and not breaker.openings:
            self._event_log.emit("breaker_closed", app_id=self._app_id)


def _problem_of(breaker: BreakerRecord) -> Problem:
    return breaker.problem or Problem(Cause.APP_STOPPED)


def _is_clean(breaker: BreakerRecord) -> bool:
    clean = BreakerRecord(
        refresh_problem=breaker.refresh_problem, version=breaker.version
    )
    return breaker == clean

"""Pause the app for every worker when the platform says slow down (kyc/api.md §5)."""

import threading
from contextlib import suppress
from datetime import timedelta

from msgspec import Struct

from kycourier.core.brake import Brake, Phase, Signal, after, phase
from kycourier.core.errors import NewerSchema, StaleOwner, StoreUnavailable
from kycourier.core.models import Lease
from kycourier.ports import Ambient, State
from kycourier.usecases.since import Since

SEEN_FOR_SECONDS = 2.0
TRIAL_SECONDS = 15.0
BEHIND_TRIAL = timedelta(seconds=2)
LONGEST_WAIT_SECONDS = 5.0
_MOST_WRITES = 5


class Permit(Struct, frozen=True):
    """Leave to call, or the `pause` to keep; `trial` holds a trial call's lease."""

    pause: timedelta | None = None
    trial: Lease | None = None


class BrakeGuard:
    """One process's view of the app's brake, at most 2 s old."""

    def __init__(self, app_id: str, *, state: State, ambient: Ambient) -> None:
        self._app_id = app_id
        self._trial = f"trial/{app_id}"
        self._brakes, self._leases = state.brakes, state.leases
        self._orders = state.orders
        self._clock, self._nonces = ambient.clock, ambient.nonces
        self._journal = ambient.journal
        self._seen: tuple[Brake, Since] | None = None
        self._writing = threading.Lock()

    def ask(self) -> Permit:
        """Ask for leave to call. Raises StoreUnavailable, NewerSchema."""
        brake = self._look()
        match phase(brake, now=self._orders.now()):
            case Phase.RUNNING:
                return Permit()
            case Phase.PAUSED:
                return Permit(pause=self._rest(brake))
            case Phase.TRIAL:
                return self._try()

    def _try(self) -> Permit:
        """Take the one trial call, unless another worker has or had it."""
        owner = self._nonces.nonce()
        trial = self._leases.acquire(self._trial, owner=owner, seconds=TRIAL_SECONDS)
        if trial is None:
            return Permit(pause=BEHIND_TRIAL)
        permit, self._seen = Permit(trial=trial), None
        brake = self._look()
        now_phase = phase(brake, now=self._orders.now())
        if now_phase is Phase.TRIAL:
            return permit
        self.give_back(permit)
        if now_phase is Phase.RUNNING:
            return Permit()
        return Permit(pause=self._rest(brake))

    def is_stopped(self) -> bool:
        """Tell whether a person must end the pause. Raises StoreUnavailable."""
        return self._look().until_resumed

    def rest(self) -> timedelta | None:
        """Give how long the app is paused, if it is. Raises StoreUnavailable."""
        brake = self._look()
        if phase(brake, now=self._orders.now()) is not Phase.PAUSED:
            return None
        return self._rest(brake)

    def report(self, signal: Signal, *, least: timedelta) -> None:
        """Tell what one call said; a store that fails does not fail the call."""
        seen = self._seen
        if signal is Signal.ANSWERED and seen and _is_clean(seen[0]):
            return
        if not self._writing.acquire(timeout=LONGEST_WAIT_SECONDS):
            return  # whoever writes hangs
        try:  # one at a time, so that this process loses no count
            self._write(signal, least)
        except (StoreUnavailable, NewerSchema):
            self._seen = None
        finally:
            self._writing.release()

    def give_back(self, permit: Permit) -> None:
        """End a trial, however it went; where that fails its lease ends by itself."""
        if permit.trial is not None:
            with suppress(StoreUnavailable):
                self._leases.release(self._trial, lease=permit.trial)

    def resume(self) -> None:
        """End the pause on a person's word. Raises StoreUnavailable."""
        self._brakes.release(self._app_id)
        self._seen = None
        self._journal.note("app_resumed", app_id=self._app_id)

    def _rest(self, brake: Brake) -> timedelta:
        """Give how long the pause lasts; 5 min at a time when a person must end it."""
        if brake.paused_until is None or brake.until_resumed:
            return timedelta(minutes=5)
        return brake.paused_until - self._orders.now()

    def _look(self) -> Brake:
        seen = self._seen
        if seen is None or seen[1].seconds() >= SEEN_FOR_SECONDS:
            seen = (self._brakes.load(self._app_id), Since(self._clock))
            self._seen = seen
        return seen[0]

    def _write(self, signal: Signal, least: timedelta) -> None:
        for _ in range(_MOST_WRITES):
            before = self._brakes.load(self._app_id)
            brake = after(
                before,
                signal,
                now=self._orders.now(),
                least=least,
                draw=self._nonces.draw(),
            )
            self._seen = (brake, Since(self._clock))
            if brake == before:
                return
            try:
                self._brakes.trip(self._app_id, brake, expected_version=before.version)
            except StaleOwner:
                continue
            self._tell(before, brake)
            return

    def _tell(self, before: Brake, brake: Brake) -> None:
        if brake.until_resumed:
            self._journal.note("app_stopped", app_id=self._app_id)
        elif brake.trips > before.trips:
            seconds = self._rest(brake).total_seconds()
            self._journal.note(
                "brake_tripped", app_id=self._app_id, seconds=round(seconds, 1)
            )
        elif before.trips and not brake.trips:
            self._journal.note("brake_released", app_id=self._app_id)


def _is_clean(brake: Brake) -> bool:
    return brake == Brake(version=brake.version)

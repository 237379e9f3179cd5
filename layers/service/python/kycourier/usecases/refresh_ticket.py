"""One ticket pair for all workers: refreshed together, never concurrently (1007/37304).

Whoever holds the lease looks again before each step, so that a holder that woke up late
asks for nothing and saves nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from enum import Enum

from kycourier.core import codes
from kycourier.core.errors import (
    StaleOwner,
    StoreUnavailable,
    TicketUnavailable,
    UpstreamUnreachable,
)
from kycourier.core.hidden import ReplyBody
from kycourier.core.models import KycRequest, Lease
from kycourier.core.reply import Unanswered, read_reply, signal_of
from kycourier.core.retry import full_jitter
from kycourier.core.ticket import Freshness, TicketPair, freshness, refresh_lease
from kycourier.core.wire import (
    Bought,
    Profile,
    Refusal,
    build_ticket_request,
    build_token_request,
    parse_ticket_reply,
    parse_token_reply,
)
from kycourier.ports import Ambient, KycTransport, SecretSource, State
from kycourier.usecases.heed_brake import BrakeGuard
from kycourier.usecases.since import Since
from kycourier.usecases.time_left import TimeLeft

CALL_SECONDS = 4.0
LEASE_SECONDS = 15.0
FORCED_SECONDS = 60.0
LEAST_SECONDS = 4.5
AFTER_TOKEN_SECONDS = 2.0
FIRST_BACK_OFF, LONGEST_BACK_OFF = timedelta(seconds=2), timedelta(seconds=60)
MOST_STRIKES, STRIKE_SECONDS = 5, 120.0


class Why(Enum):
    """Why a refresh is asked for."""

    SCHEDULED = "scheduled"
    NEEDED = "needed"
    REFUSED = "refused"


class TicketRefresher:
    """Buys a pair under the lease and saves it: the only code that asks for a token."""

    def __init__(
        self,
        app_id: str,
        *,
        profile: Profile,
        secret: SecretSource,
        transport: KycTransport,
        brake: BrakeGuard,
        call_seconds: float,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._profile, self._secret = app_id, profile, secret
        self._transport, self._brake = transport, brake
        self._store, self._leases = state.tickets, state.leases
        self._clock, self._nonces = ambient.clock, ambient.nonces
        self._journal = ambient.journal
        self._call_seconds = min(CALL_SECONDS, call_seconds)
        self._pause = f"back-off/{app_id}"
        self._refused: Since | None = None

    def refresh(
        self, seen: TicketPair | None, time_left: TimeLeft, *, why: Why
    ) -> TicketPair | None:
        """Replace the pair, or give the newer one; None while another is at it.

        Raises TicketUnavailable, StoreUnavailable, NewerSchema.
        """
        if time_left.seconds() < LEAST_SECONDS:
            raise TicketUnavailable("no time to refresh")
        self._hold_back(why)
        name, owner = refresh_lease(self._app_id), self._nonces.nonce()
        lease = self._leases.acquire(name, owner=owner, seconds=LEASE_SECONDS)
        if lease is None:
            return None
        try:
            stored = self._store.load(self._app_id)
            if stored and not self._is_to_replace(stored, seen, lease, why):
                return stored
            if why is Why.REFUSED:
                self._force()
            return self._replace(stored, lease, time_left)
        except StaleOwner:
            self._journal.note("ticket_save_refused", fence=lease.fence)
            return None
        finally:
            with suppress(StoreUnavailable):  # else it ends by itself
                self._leases.release(name, lease=lease)

    def _is_to_replace(
        self, stored: TicketPair, seen: TicketPair | None, lease: Lease, why: Why
    ) -> bool:
        if why is Why.REFUSED:
            return seen is not None and stored.generation <= seen.generation
        age = lease.seen_at - stored.obtained_at
        return freshness(stored, age=age) is not Freshness.FRESH

    def _hold_back(self, why: Why) -> None:
        """Heed a stopped app, and but for the timer the fleet's back-off."""
        if self._brake.is_stopped():
            raise TicketUnavailable("app stopped")
        if why is Why.SCHEDULED:
            return
        if self._refused is not None and self._refused.seconds() < 1:
            raise TicketUnavailable("backing off")
        owner = self._nonces.nonce()
        if self._leases.acquire(self._pause, owner=owner, seconds=0) is None:
            self._refused = Since(self._clock)
            raise TicketUnavailable("backing off")

    def _force(self) -> None:
        """Keep to one forced refresh a minute, the first at once, whoever asks."""
        name, owner = f"forced/{self._app_id}", self._nonces.nonce()
        if self._leases.acquire(name, owner=owner, seconds=FORCED_SECONDS) is None:
            raise TicketUnavailable("renewed a moment ago")
        self._journal.note("ticket_renewal_forced", app_id=self._app_id)

    def _replace(
        self, stored: TicketPair | None, lease: Lease, time_left: TimeLeft
    ) -> TicketPair:
        """Buy token and ticket and save them as the next generation."""
        token = self._buy(
            lambda: build_token_request(
                self._profile, self._app_id, self._secret.load()
            ),
            parse_token_reply,
            lease=lease,
            time_left=time_left.but(seconds=AFTER_TOKEN_SECONDS),
        )
        ticket = self._buy(
            lambda: build_ticket_request(self._profile, self._app_id, token.value),
            parse_ticket_reply,
            lease=lease,
            time_left=time_left,
        )
        generation = stored.generation if stored else 0
        pair = TicketPair(
            generation=generation + 1,
            obtained_at=lease.seen_at,
            expires_in=min(token.lives, ticket.lives),
            token=token.value,
            ticket=ticket.value,
        )
        self._save(pair, lease)
        self._journal.note(
            "ticket_refreshed",
            generation=pair.generation,
            seconds=pair.expires_in.total_seconds(),
        )
        return pair

    def _save(self, pair: TicketPair, lease: Lease) -> None:
        """Save what was bought, trying twice: the old pair's last minute has begun."""
        expected = pair.generation - 1
        for _ in range(2):
            try:
                self._store.save(
                    self._app_id, pair, expected_generation=expected, lease=lease
                )
            except StoreUnavailable:
                continue
            return
        raise self._failed(Unanswered(name=StoreUnavailable.code))

    def _buy(
        self,
        build: Callable[[], KycRequest],
        parse: Callable[[ReplyBody], Bought | Refusal],
        *,
        lease: Lease,
        time_left: TimeLeft,
    ) -> Bought:
        """Buy one of the two; the lease is looked at last: a secret takes its time."""
        request = self._build(build)
        self._look_again(lease)
        if time_left.is_short():
            raise TicketUnavailable("no time to refresh")
        answer: Bought | Refusal | Unanswered
        try:
            reply = self._transport.send(
                request, timeout_seconds=time_left.for_call(self._call_seconds)
            )
            answer = read_reply(reply, parse)
        except UpstreamUnreachable as error:
            answer = Unanswered(name=error.code)
        signal, least = signal_of(answer)
        self._brake.report(signal, least=least)
        if isinstance(answer, Bought):
            return answer
        raise self._failed(answer)

    def _build(self, build: Callable[[], KycRequest]) -> KycRequest:
        """Build a request, which reads the secret; the platform hears nothing of it."""
        with suppress(StoreUnavailable):
            return build()
        raise self._failed(Unanswered(name="secret_unavailable"))

    def _failed(self, answer: Refusal | Unanswered) -> TicketUnavailable:
        """Count a failure, and let the whole fleet back off, from 2 s to a minute."""
        code = answer.code if isinstance(answer, Refusal) else None
        problem = (
            codes.find(answer.code).name if isinstance(answer, Refusal) else answer.name
        )
        self._journal.note("ticket_refresh_failed", code=code, problem=problem)
        with suppress(StoreUnavailable):
            self._back_off()
        return TicketUnavailable(problem, refused_with=code)

    def _back_off(self) -> None:
        """Take a lease that nobody gives back; strikes of the last minutes lengthen it.

        A strike is a lease too: how many are held is how often it failed lately.
        """
        owner, strikes = self._nonces.nonce(), 0
        while strikes < MOST_STRIKES and not self._leases.acquire(
            f"strike{strikes}/{self._app_id}", owner=owner, seconds=STRIKE_SECONDS
        ):
            strikes += 1
        draw = self._nonces.draw()
        delay = full_jitter(
            strikes, first=FIRST_BACK_OFF, draw=draw, cap=LONGEST_BACK_OFF
        )
        self._leases.acquire(self._pause, owner=owner, seconds=delay.total_seconds())

    def _look_again(self, lease: Lease) -> None:
        """Make sure that the lease is still ours and outlasts one call."""
        again = self._leases.acquire(
            refresh_lease(self._app_id), owner=lease.owner, seconds=LEASE_SECONDS
        )
        if again is None or again.fence != lease.fence:
            raise StaleOwner("refresh lease")
        if again.remaining_seconds() < CALL_SECONDS:
            raise StaleOwner("refresh lease")

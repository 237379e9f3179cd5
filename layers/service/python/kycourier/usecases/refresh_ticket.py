"""One ticket pair for all workers: refreshed together, never concurrently (1007/37304).

Whoever holds the lease looks again before each step, so that a holder that woke up late
asks for nothing and saves nothing.
"""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum

from kycourier.core import codes
from kycourier.core.errors import (
    StaleOwner,
    TicketUnavailable,
    UpstreamUnreachable,
)
from kycourier.core.hidden import ReplyBody
from kycourier.core.models import KycRequest, Lease
from kycourier.core.reply import Unanswered, read_reply, signal_of
from kycourier.core.retry import full_jitter
from kycourier.core.ticket import (
    Freshness,
    TicketPair,
    freshness,
    refresh_lease,
)
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
from kycourier.usecases.time_left import TimeLeft

CALL_SECONDS = 4.0
LEASE_SECONDS = 15.0
FORCED_SECONDS = 60.0
LEAST_SECONDS = 5.0


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
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._profile, self._secret = app_id, profile, secret
        self._transport, self._brake = transport, brake
        self._store, self._leases = state.tickets, state.leases
        self._clock, self._nonces = ambient.clock, ambient.nonces
        self._journal = ambient.journal
        self._failures, self._not_before = 0, 0.0

    def refresh(
        self, seen: TicketPair | None, time_left: TimeLeft, *, why: Why
    ) -> TicketPair | None:
        """Replace the pair, or give the newer one; None while another is at it.

        Raises TicketUnavailable, StoreUnavailable.
        """
        if time_left.seconds() < LEAST_SECONDS:
            raise TicketUnavailable("no time to refresh")
        name, owner = refresh_lease(self._app_id), self._nonces.nonce()
        lease = self._leases.acquire(name, owner=owner, seconds=LEASE_SECONDS)
        if lease is None:
            return None
        try:
            stored = self._store.load(self._app_id)
            if stored and not self._is_to_replace(stored, seen, lease, why):
                return stored
            self._hold_back(why)
            return self._replace(stored, lease, time_left)
        except StaleOwner:
            self._journal.note("ticket_save_refused", fence=lease.fence)
            return None
        finally:
            self._leases.release(name, lease=lease)

    def _is_to_replace(
        self, stored: TicketPair, seen: TicketPair | None, lease: Lease, why: Why
    ) -> bool:
        if why is Why.REFUSED:
            return seen is not None and stored.generation == seen.generation
        age = lease.seen_at - stored.obtained_at
        return freshness(stored, age=age) is not Freshness.FRESH

    def _hold_back(self, why: Why) -> None:
        """Heed the back-off after a failure; force once a minute, whoever asks."""
        if why is Why.SCHEDULED:
            return
        if self._clock.monotonic() < self._not_before:
            raise TicketUnavailable("backing off")
        if why is Why.REFUSED:
            name, owner = f"forced/{self._app_id}", self._nonces.nonce()
            if not self._leases.acquire(name, owner=owner, seconds=FORCED_SECONDS):
                raise TicketUnavailable("renewed a moment ago")
            self._journal.note("ticket_renewal_forced", app_id=self._app_id)

    def _replace(
        self, stored: TicketPair | None, lease: Lease, time_left: TimeLeft
    ) -> TicketPair:
        """Buy token and ticket and save them as the next generation."""
        request = build_token_request(self._profile, self._app_id, self._secret.load())
        token = self._buy(request, parse_token_reply, lease, time_left)
        request = build_ticket_request(self._profile, self._app_id, token.value)
        ticket = self._buy(request, parse_ticket_reply, lease, time_left)
        generation = stored.generation if stored else 0
        pair = TicketPair(
            generation=generation + 1,
            obtained_at=lease.seen_at,
            expires_in=min(token.lives, ticket.lives),
            token=token.value,
            ticket=ticket.value,
        )
        self._store.save(
            self._app_id, pair, expected_generation=generation, lease=lease
        )
        self._failures = 0
        self._journal.note(
            "ticket_refreshed",
            generation=pair.generation,
            seconds=pair.expires_in.total_seconds(),
        )
        return pair

    def _buy(
        self,
        request: KycRequest,
        parse: Callable[[ReplyBody], Bought | Refusal],
        lease: Lease,
        time_left: TimeLeft,
    ) -> Bought:
        self._look_again(lease)
        answer: Bought | Refusal | Unanswered
        try:
            reply = self._transport.send(
                request, timeout_seconds=time_left.for_call(CALL_SECONDS)
            )
            answer = read_reply(reply, parse)
        except UpstreamUnreachable as error:
            answer = Unanswered(name=error.code)
        signal, least = signal_of(answer)
        self._brake.report(signal, least=least)
        if isinstance(answer, Bought):
            return answer
        raise self._failed(answer)

    def _failed(self, answer: Refusal | Unanswered) -> TicketUnavailable:
        """Count a failure and back off, with full jitter, from 2 s to a minute."""
        delay = full_jitter(
            self._failures,
            first=timedelta(seconds=2),
            draw=self._nonces.draw(),
            cap=timedelta(seconds=60),
        )
        self._failures += 1
        self._not_before = self._clock.monotonic() + delay.total_seconds()
        code = answer.code if isinstance(answer, Refusal) else None
        problem = (
            codes.find(answer.code).name if isinstance(answer, Refusal) else answer.name
        )
        self._journal.note("ticket_refresh_failed", code=code, problem=problem)
        return TicketUnavailable(problem, refused_with=code)

    def _look_again(self, lease: Lease) -> None:
        """Make sure that the lease is still ours and outlasts one call."""
        again = self._leases.acquire(
            refresh_lease(self._app_id), owner=lease.owner, seconds=LEASE_SECONDS
        )
        if again is None or again.fence != lease.fence:
            raise StaleOwner("refresh lease")
        if again.remaining_seconds() < CALL_SECONDS:
            raise StaleOwner("refresh lease")

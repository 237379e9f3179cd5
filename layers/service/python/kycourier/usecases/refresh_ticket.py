"""Refreshes the one ticket pair of all workers, never concurrently (1007/37304).

The holder checks its lease again before each step: one that was frozen does nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from enum import Enum

from kycourier.core.causes import Cause, Problem, problem_of_refresh
from kycourier.core.errors import (
    StaleOwnerError,
    StoreUnavailableError,
    TicketUnavailableError,
    TransportError,
)
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.redaction import ReplyBody
from kycourier.core.result_codes import CodeClass, Rejected
from kycourier.core.tickets.pair import Freshness, TicketPair, freshness
from kycourier.core.timing import (
    REFRESH_CALL_SECONDS,
    REFRESH_LEASE_SECONDS,
    REFRESH_MIN_SECONDS,
    REFRESH_TICKET_RESERVE_SECONDS,
)
from kycourier.core.wire.messages import KycRequest
from kycourier.core.wire.requests import (
    Profile,
    build_ticket_request,
    build_token_request,
)
from kycourier.core.wire.responses import (
    NoResponse,
    call_result,
    no_response,
    read_response,
)
from kycourier.core.wire.token_replies import (
    IssuedCredential,
    parse_ticket_reply,
    parse_token_reply,
)
from kycourier.ports import KycTransport, RuntimeDeps, SecretSource, Stores
from kycourier.usecases.circuit_breaker import CircuitBreaker
from kycourier.usecases.deadlines import Deadline
from kycourier.usecases.refresh_backoff import RefreshBackoff


class RefreshReason(Enum):
    """Why a refresh is requested."""

    SCHEDULED = "scheduled"
    NEEDED = "needed"
    REFUSED = "refused"


class TicketRefresher:
    """Obtains a pair under the lease and saves it: the only code that gets tokens."""

    def __init__(
        self,
        app_id: str,
        *,
        profile: Profile,
        secret: SecretSource,
        transport: KycTransport,
        breaker: CircuitBreaker,
        call_seconds: float,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._app_id, self._profile, self._secret = app_id, profile, secret
        self._transport, self._breaker = transport, breaker
        self._tickets, self._leases = stores.tickets, stores.leases
        self._random, self._event_log = deps.random, deps.event_log
        self._call_seconds = min(REFRESH_CALL_SECONDS, call_seconds)
        self._backoff = RefreshBackoff(app_id, leases=stores.leases, deps=deps)

    def refresh(
        self, seen: TicketPair | None, deadline: Deadline, *, why: RefreshReason
    ) -> TicketPair | None:
        """Replaces the pair, unless somebody else does or did.

        Args:
            seen: The pair that the caller has, if any.
            deadline: The invocation's.
            why: The reason, which decides whether the stored pair is replaced.

        Returns:
            The new or newer pair; None while another worker refreshes.

        Raises:
            TicketUnavailableError: backing off, stopped, out of time, or refused.
            StoreUnavailableError: the store failed.
            NewerSchemaError: a newer release wrote the pair.
        """
        if deadline.seconds() < REFRESH_MIN_SECONDS:
            raise TicketUnavailableError(Problem(Cause.OUT_OF_TIME))
        self._check_backoff(why)
        name, owner = refresh_lease(self._app_id), self._random.nonce()
        lease = self._leases.acquire(name, owner=owner, seconds=REFRESH_LEASE_SECONDS)
        if lease is None:
            return None
        try:
            stored = self._tickets.get(self._app_id)
            if stored and not self._must_replace(stored, seen, lease, why):
                return stored
            if why is RefreshReason.REFUSED:
                self._limit_forced()
            return self._replace(stored, lease, deadline)
        except StaleOwnerError:
            self._event_log.emit("ticket_save_refused", fence=lease.fence)
            return None
        finally:
            with suppress(StoreUnavailableError):  # else it ends by itself
                self._leases.release(name, lease=lease)

    def _must_replace(
        self,
        stored: TicketPair,
        seen: TicketPair | None,
        lease: Lease,
        why: RefreshReason,
    ) -> bool:
        if why is RefreshReason.REFUSED:
            return seen is not None and stored.generation <= seen.generation
        age = lease.seen_at - stored.obtained_at
        return freshness(stored, age=age) is not Freshness.FRESH

    def _check_backoff(self, why: RefreshReason) -> None:
        """Raises while the app is stopped or, except for the timer, in back-off."""
        if stop := self._breaker.stopped_by():
            raise TicketUnavailableError(stop)
        if why is not RefreshReason.SCHEDULED and self._backoff.is_active():
            raise self._still_failing(Cause.TICKET_MISSING)

    def _limit_forced(self) -> None:
        if not self._backoff.may_force():
            raise self._still_failing(Cause.TICKET_REFUSED)
        self._event_log.emit("ticket_renewal_forced", app_id=self._app_id)

    def _still_failing(self, otherwise: Cause) -> TicketUnavailableError:
        """Names why the last refresh failed, also for a worker that must not try."""
        last = self._breaker.refresh_problem()
        return TicketUnavailableError(last.problem if last else Problem(otherwise))

    def _replace(
        self, stored: TicketPair | None, lease: Lease, deadline: Deadline
    ) -> TicketPair:
        """Obtains token and ticket and saves them as the next generation."""
        token = self._obtain(
            lambda: build_token_request(
                self._profile, self._app_id, self._secret.get()
            ),
            parse_token_reply,
            lease=lease,
            deadline=deadline.minus(seconds=REFRESH_TICKET_RESERVE_SECONDS),
        )
        ticket = self._obtain(
            lambda: build_ticket_request(self._profile, self._app_id, token.value),
            parse_ticket_reply,
            lease=lease,
            deadline=deadline,
        )
        pair = TicketPair(
            generation=(stored.generation if stored else 0) + 1,
            obtained_at=lease.seen_at,
            expires_in=min(token.lifetime, ticket.lifetime),
            token=token.value,
            ticket=ticket.value,
        )
        self._save(pair, lease)
        self._event_log.emit(
            "ticket_refreshed",
            generation=pair.generation,
            seconds=pair.expires_in.total_seconds(),
        )
        self._breaker.record_refresh(None)
        return pair

    def _save(self, pair: TicketPair, lease: Lease) -> None:
        """Saves the pair, trying twice: the old pair's last minute has begun."""
        expected = pair.generation - 1
        for _ in range(2):
            try:
                self._tickets.put(
                    self._app_id, pair, expected_generation=expected, lease=lease
                )
            except StoreUnavailableError:
                continue
            return
        raise self._failed(Problem(Cause.STORE_UNAVAILABLE))

    def _obtain(
        self,
        build: Callable[[], KycRequest],
        parse: Callable[[ReplyBody], IssuedCredential | Rejected],
        *,
        lease: Lease,
        deadline: Deadline,
    ) -> IssuedCredential:
        """Obtains token or ticket; the lease is checked last: a secret takes time."""
        request = self._build(build)
        self._recheck_lease(lease)
        if deadline.is_short():
            raise TicketUnavailableError(Problem(Cause.OUT_OF_TIME))
        reply: IssuedCredential | Rejected | NoResponse
        try:
            response = self._transport.send(
                request, timeout_seconds=deadline.for_call(self._call_seconds)
            )
            reply = read_response(response, parse)
        except TransportError as error:
            reply = no_response(error)
        if call := call_result(reply):
            self._breaker.record(call)
        if isinstance(reply, IssuedCredential):
            return reply
        if isinstance(reply, Rejected):
            raise self._failed(problem_of_refresh(reply), class_=reply.class_)
        raise self._failed(reply.problem, class_=reply.class_)

    def _build(self, build: Callable[[], KycRequest]) -> KycRequest:
        """Builds a request, which reads the secret, before the platform is called."""
        with suppress(StoreUnavailableError):
            return build()
        raise self._failed(Problem(Cause.SECRET_UNREADABLE))

    def _failed(
        self, problem: Problem, *, class_: CodeClass | None = None
    ) -> TicketUnavailableError:
        """Logs and stores why; the whole fleet backs off, from 2 s to a minute."""
        self._event_log.emit("ticket_refresh_failed", **problem.fields())
        self._breaker.record_refresh(problem)
        with suppress(StoreUnavailableError):
            self._backoff.start()
        return TicketUnavailableError(problem, class_=class_)

    def _recheck_lease(self, lease: Lease) -> None:
        """Checks that the lease is still ours and outlasts one call."""
        again = self._leases.acquire(
            refresh_lease(self._app_id),
            owner=lease.owner,
            seconds=REFRESH_LEASE_SECONDS,
        )
        if again is None or again.fence != lease.fence:
            raise StaleOwnerError("refresh lease")
        if again.remaining_seconds() < REFRESH_CALL_SECONDS:
            raise StaleOwnerError("refresh lease")

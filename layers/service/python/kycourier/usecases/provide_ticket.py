"""Provides the ticket to sign with: a copy of at most 15 s, renewed once refused."""

import threading
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from kycourier.core.causes import Cause, Problem
from kycourier.core.errors import (
    NewerSchemaError,
    StoreUnavailableError,
    TicketUnavailableError,
)
from kycourier.core.redaction import Secret
from kycourier.core.tickets.kept_ticket import parse_kept_ticket
from kycourier.core.tickets.pair import (
    Freshness,
    SigningTicket,
    TicketPair,
    freshness,
)
from kycourier.core.timing import (
    TICKET_CACHE_SECONDS,
    TICKET_POLL_SECONDS,
    TICKET_WAIT_SECONDS,
)
from kycourier.ports import Clock, RuntimeDeps, SecretSource, Stores
from kycourier.usecases.deadlines import Deadline, Stopwatch
from kycourier.usecases.refresh_ticket import RefreshReason, TicketRefresher


class TicketProvider(Protocol):
    """Where queries get their ticket: from this service, or from another."""

    def current(self, deadline: Deadline) -> SigningTicket:
        """Returns a ticket to sign with.

        Raises:
            TicketUnavailableError: there is none.
            StoreUnavailableError: it cannot be read.
            NewerSchemaError: a newer release wrote it.
        """

    def renew(self, failed: SigningTicket, deadline: Deadline) -> SigningTicket:
        """Returns another ticket than the refused one. Raises as `current`."""


class _CachedPair:
    """A pair as it was read; its age is by the store's clock and never shrinks."""

    def __init__(self, pair: TicketPair, *, now: datetime, clock: Clock) -> None:
        self.pair, self.read = pair, Stopwatch(clock)
        self._age_when_read = now - pair.obtained_at

    def freshness(self) -> Freshness:
        age = self._age_when_read + timedelta(seconds=self.read.seconds())
        return freshness(self.pair, age=age)


class OwnedTickets:
    """Pairs that this service refreshes; without a refresher it only reads them.

    Threads share the cached pair. One of them refreshes at a time: meanwhile the others
    use a pair that is only stale, and wait if there is none.
    """

    def __init__(
        self,
        app_id: str,
        *,
        refresher: TicketRefresher | None,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        self._app_id, self._refresher = app_id, refresher
        self._tickets, self._orders = stores.tickets, stores.orders
        self._clock, self._random = deps.clock, deps.random
        self._event_log = deps.event_log
        self._cached: _CachedPair | None = None
        self._refreshing = threading.Lock()

    def current(self, deadline: Deadline) -> SigningTicket:
        """Returns the pair's ticket; refreshes a stale pair, waits for an expired one.

        Raises as `TicketProvider.current`.
        """
        cached = self._cached
        if cached is None or cached.read.seconds() >= TICKET_CACHE_SECONDS:
            cached = self._read()
        state = cached.freshness() if cached else Freshness.EXPIRED
        if cached is None or state is Freshness.EXPIRED:
            seen = cached.pair if cached else None
            return _signing_ticket(
                self._wait_for_newer(seen, deadline, RefreshReason.NEEDED)
            )
        if state is Freshness.STALE:
            return _signing_ticket(self._try_refresh(cached.pair, deadline))
        return _signing_ticket(cached.pair)

    def renew(self, failed: SigningTicket, deadline: Deadline) -> SigningTicket:
        """Reads past the cache; forces a refresh if the refused pair is still stored.

        Raises as `TicketProvider.current`.
        """
        cached = self._read()
        pair = cached.pair if cached else None
        if pair is None or pair.generation <= failed.generation:
            pair = self._wait_for_newer(pair, deadline, RefreshReason.REFUSED)
        return _signing_ticket(pair)

    def _read(self) -> _CachedPair | None:
        """Reads the store; while it fails, the cached pair is used.

        If the stored pair is gone, the cached copy is discarded: generations restart.
        """
        try:
            pair = self._tickets.get(self._app_id)
        except StoreUnavailableError:
            self._event_log.emit("ticket_store_unavailable", app_id=self._app_id)
            if self._cached is None:
                raise
            return self._cached
        if pair is None:
            self._cached = None
            return None
        return self._cache(pair)

    def _try_refresh(self, pair: TicketPair, deadline: Deadline) -> TicketPair:
        """Refreshes a stale pair if nobody does; if that fails, returns the pair."""
        try:
            newer = self._refresh(pair, deadline, RefreshReason.NEEDED)
        except (TicketUnavailableError, StoreUnavailableError, NewerSchemaError):
            return pair
        return newer or pair

    def _wait_for_newer(
        self, seen: TicketPair | None, deadline: Deadline, why: RefreshReason
    ) -> TicketPair:
        """Refreshes, or waits up to 5 s while another thread or worker does."""
        waiting = deadline.capped(TICKET_WAIT_SECONDS)
        while self._refresher is not None:
            newer = self._refresh(seen, deadline, why)
            if newer is not None:
                return newer
            if waiting.seconds() <= 0:
                break
            self._clock.sleep(TICKET_POLL_SECONDS * (0.5 + self._random.draw()))
        raise TicketUnavailableError(Problem(Cause.TICKET_MISSING))

    def _refresh(
        self, seen: TicketPair | None, deadline: Deadline, why: RefreshReason
    ) -> TicketPair | None:
        """Refreshes, unless another thread does or just did."""
        if self._refresher is None or not self._refreshing.acquire(blocking=False):
            return None
        try:
            cached = self._cached
            if cached and cached.pair.generation > (seen.generation if seen else 0):
                return cached.pair
            newer = self._refresher.refresh(seen, deadline, why=why)
        finally:
            self._refreshing.release()
        return self._cache(newer).pair if newer else None

    def _cache(self, pair: TicketPair) -> _CachedPair:
        """Caches a pair, but never an older one than is cached."""
        cached = self._cached
        if cached is None or cached.pair.generation <= pair.generation:
            cached = _CachedPair(pair, now=self._orders.now(), clock=self._clock)
            self._cached = cached
        return cached


def _signing_ticket(pair: TicketPair) -> SigningTicket:
    return SigningTicket(pair.ticket, pair.generation)


class KeptTickets:
    """Tickets that another service keeps: renewing means reading again."""

    def __init__(self, source: SecretSource, *, clock: Clock) -> None:
        self._source, self._clock = source, clock
        self._lock = threading.Lock()
        self._cached: tuple[SigningTicket, Stopwatch] | None = None

    def current(self, deadline: Deadline) -> SigningTicket:  # noqa: ARG002 - the protocol's
        """Returns the ticket, read at most 15 s ago; the last one if reading fails.

        Raises:
            TicketUnavailableError: it cannot be read, or has another form.
        """
        with self._lock:
            cached = self._cached
            if cached is not None and cached[1].seconds() < TICKET_CACHE_SECONDS:
                return cached[0]
            try:
                return self._read()
            except TicketUnavailableError:
                if cached is None:
                    raise
            return cached[0]

    def renew(self, failed: SigningTicket, deadline: Deadline) -> SigningTicket:  # noqa: ARG002 - the protocol's
        """Reads again; the same ticket again means that there is no other.

        Raises as `TicketProvider.current`.
        """
        with self._lock:
            ticket = self._read()
            if ticket.value == failed.value:
                raise TicketUnavailableError(Problem(Cause.TICKET_REFUSED))
            return ticket

    def _read(self) -> SigningTicket:
        value = parse_kept_ticket(self._get())
        ticket = self._cached[0] if self._cached else None
        if ticket is None or ticket.value != value:
            ticket = SigningTicket(value, ticket.generation + 1 if ticket else 1)
        self._cached = (ticket, Stopwatch(self._clock))
        return ticket

    def _get(self) -> Secret:
        with suppress(StoreUnavailableError):
            return self._source.get()
        raise TicketUnavailableError(Problem(Cause.SECRET_UNREADABLE))

"""The ticket to sign with: a copy of at most 15 s, renewed when it is refused."""

import threading
from datetime import timedelta
from typing import Protocol

from kycourier.core.errors import StoreUnavailable, TicketUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.json_text import MalformedJson, parse_json
from kycourier.core.ticket import Freshness, SigningTicket, TicketPair, freshness
from kycourier.ports import Ambient, Clock, SecretSource, State
from kycourier.usecases.refresh_ticket import TicketRefresher, Why
from kycourier.usecases.time_left import TimeLeft

COPY_SECONDS = 15.0
WAIT_SECONDS = 5.0
_POLL_SECONDS = 0.2


class Tickets(Protocol):
    """Where a query's ticket comes from: this service, or somebody else."""

    def current(self, time_left: TimeLeft) -> SigningTicket:
        """Give a ticket to sign with. Raises TicketUnavailable, StoreUnavailable."""

    def renew(self, failed: SigningTicket, time_left: TimeLeft) -> SigningTicket:
        """Give another ticket than the one refused. Raises as `current`."""


class _Copy:
    """A pair as it was read, and how old it is by the earlier of two clocks."""

    def __init__(self, pair: TicketPair, clock: Clock) -> None:
        self.pair = pair
        self._clock, self._read_at = clock, clock.monotonic()
        self._age_when_read = clock.now() - pair.obtained_at

    def since_read(self) -> float:
        return self._clock.monotonic() - self._read_at

    def freshness(self) -> Freshness:
        by_wall = self._clock.now() - self.pair.obtained_at
        by_ticks = self._age_when_read + timedelta(seconds=self.since_read())
        return freshness(self.pair, age=max(by_wall, by_ticks))


class OwnedTickets:
    """Pairs that this service refreshes; without a refresher it reads them only."""

    def __init__(
        self,
        app_id: str,
        *,
        refresher: TicketRefresher | None,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._store, self._refresher = app_id, state.tickets, refresher
        self._clock, self._nonces = ambient.clock, ambient.nonces
        self._journal = ambient.journal
        self._copy: _Copy | None = None
        self._lock = threading.Lock()

    def current(self, time_left: TimeLeft) -> SigningTicket:
        """Give the pair's ticket; refresh when stale, wait for another when expired."""
        with self._lock:
            copy = self._copy
            if copy is None or copy.since_read() >= COPY_SECONDS:
                copy = self._read()
            if copy is None or copy.freshness() is Freshness.EXPIRED:
                seen = copy.pair if copy else None
                pair = self._wait_for_newer(seen, time_left, Why.NEEDED)
            elif copy.freshness() is Freshness.STALE:
                pair = self._refresh_aside(copy.pair, time_left)
            else:
                pair = copy.pair
            return SigningTicket(pair.ticket, pair.generation)

    def renew(self, failed: SigningTicket, time_left: TimeLeft) -> SigningTicket:
        """Read past the copy; force a refresh if the refused pair is still stored."""
        with self._lock:
            copy = self._read()
            pair = copy.pair if copy else None
            if pair is None or pair.generation == failed.generation:
                pair = self._wait_for_newer(pair, time_left, Why.REFUSED)
            return SigningTicket(pair.ticket, pair.generation)

    def _read(self) -> _Copy | None:
        """Read the store; while it fails, the copy serves on."""
        try:
            pair = self._store.load(self._app_id)
        except StoreUnavailable:
            self._journal.note("ticket_store_unavailable", app_id=self._app_id)
            if self._copy is None:
                raise
            return self._copy
        self._copy = _Copy(pair, self._clock) if pair else None
        return self._copy

    def _refresh_aside(self, pair: TicketPair, time_left: TimeLeft) -> TicketPair:
        """Refresh a stale pair if nobody does; if that fails, it serves on."""
        if self._refresher is None:
            return pair
        try:
            newer = self._refresher.refresh(pair, time_left, why=Why.NEEDED)
        except (TicketUnavailable, StoreUnavailable):
            return pair
        return self._keep(newer) if newer else pair

    def _wait_for_newer(
        self, seen: TicketPair | None, time_left: TimeLeft, why: Why
    ) -> TicketPair:
        """Refresh, or wait up to 5 s while another worker does."""
        waiting = time_left.at_most(WAIT_SECONDS)
        while self._refresher is not None:
            newer = self._refresher.refresh(seen, time_left, why=why)
            if newer is not None:
                return self._keep(newer)
            if waiting.seconds() <= 0:
                break
            self._clock.sleep(_POLL_SECONDS * (0.5 + self._nonces.draw()))
        raise TicketUnavailable("no refresh in time")

    def _keep(self, pair: TicketPair) -> TicketPair:
        self._copy = _Copy(pair, self._clock)
        return pair


class ForeignTickets:
    """Tickets that somebody else keeps: renewing means reading again."""

    def __init__(self, source: SecretSource, *, clock: Clock) -> None:
        self._source, self._clock = source, clock
        self._lock = threading.Lock()
        self._ticket: SigningTicket | None = None
        self._read_at = 0.0

    def current(self, time_left: TimeLeft) -> SigningTicket:  # noqa: ARG002 - the port's
        """Give the ticket, read at most 15 s ago."""
        with self._lock:
            age = self._clock.monotonic() - self._read_at
            if self._ticket is not None and age < COPY_SECONDS:
                return self._ticket
            return self._read()

    def renew(self, failed: SigningTicket, time_left: TimeLeft) -> SigningTicket:  # noqa: ARG002 - the port's
        """Read again; the same ticket again means that there is none to be had."""
        with self._lock:
            ticket = self._read()
            if ticket.value == failed.value:
                raise TicketUnavailable("its keeper has not renewed it")
            return ticket

    def _read(self) -> SigningTicket:
        value = parse_kept_ticket(self._source.load())
        last = self._ticket
        if last is None or last.value != value:
            last = SigningTicket(value, last.generation + 1 if last else 1)
        self._ticket, self._read_at = last, self._clock.monotonic()
        return last


def parse_kept_ticket(kept: Secret) -> Secret:
    """Read a ticket kept by someone else: bare, or JSON with a member `ticket`."""
    text = kept.reveal().strip()
    if text.startswith("{"):
        try:
            members = parse_json(text.encode())
        except MalformedJson:
            members = None
        text = str(members.get("ticket", "")) if isinstance(members, dict) else ""
    if not (text and text.isascii() and text.isprintable()):
        raise TicketUnavailable("its keeper's value is no ticket")
    return Secret(text)

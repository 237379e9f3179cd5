"""The ticket to sign with: a copy of at most 15 s, renewed when it is refused."""

import threading
from datetime import datetime, timedelta
from typing import Protocol

from kycourier.core.errors import NewerSchema, StoreUnavailable, TicketUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.json_text import MalformedJson, parse_json
from kycourier.core.ticket import Freshness, SigningTicket, TicketPair, freshness
from kycourier.ports import Ambient, Clock, SecretSource, State
from kycourier.usecases.refresh_ticket import TicketRefresher, Why
from kycourier.usecases.since import Since
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
    """A pair as it was read; its age is by the store's clock, and never shrinks."""

    def __init__(self, pair: TicketPair, *, now: datetime, clock: Clock) -> None:
        self.pair, self.read = pair, Since(clock)
        self._age_when_read = now - pair.obtained_at

    def freshness(self) -> Freshness:
        age = self._age_when_read + timedelta(seconds=self.read.seconds())
        return freshness(self.pair, age=age)


class OwnedTickets:
    """Pairs that this service refreshes; without a refresher it reads them only.

    Threads share the copy. One of them refreshes at a time: meanwhile the others go on
    with a pair that is only stale, and wait where there is none.
    """

    def __init__(
        self,
        app_id: str,
        *,
        refresher: TicketRefresher | None,
        state: State,
        ambient: Ambient,
    ) -> None:
        self._app_id, self._refresher = app_id, refresher
        self._store, self._orders = state.tickets, state.orders
        self._clock, self._nonces = ambient.clock, ambient.nonces
        self._journal = ambient.journal
        self._copy: _Copy | None = None
        self._refreshing = threading.Lock()

    def current(self, time_left: TimeLeft) -> SigningTicket:
        """Give the pair's ticket; refresh when stale, wait for another when expired."""
        copy = self._copy
        if copy is None or copy.read.seconds() >= COPY_SECONDS:
            copy = self._read()
        now = copy.freshness() if copy else Freshness.EXPIRED
        if copy is None or now is Freshness.EXPIRED:
            seen = copy.pair if copy else None
            return _sign_with(self._wait_for_newer(seen, time_left, Why.NEEDED))
        if now is Freshness.STALE:
            return _sign_with(self._refresh_aside(copy.pair, time_left))
        return _sign_with(copy.pair)

    def renew(self, failed: SigningTicket, time_left: TimeLeft) -> SigningTicket:
        """Read past the copy; force a refresh if the refused pair is still stored."""
        copy = self._read()
        pair = copy.pair if copy else None
        if pair is None or pair.generation <= failed.generation:
            pair = self._wait_for_newer(pair, time_left, Why.REFUSED)
        return _sign_with(pair)

    def _read(self) -> _Copy | None:
        """Read the store; while it fails, the copy serves on.

        Where it has lost its pair, its generations begin anew: the copy is one of none.
        """
        try:
            pair = self._store.load(self._app_id)
        except StoreUnavailable:
            self._journal.note("ticket_store_unavailable", app_id=self._app_id)
            if self._copy is None:
                raise
            return self._copy
        if pair is None:
            self._copy = None
            return None
        return self._keep(pair)

    def _refresh_aside(self, pair: TicketPair, time_left: TimeLeft) -> TicketPair:
        """Refresh a stale pair if nobody does; if that fails, it serves on."""
        try:
            newer = self._refresh(pair, time_left, Why.NEEDED)
        except (TicketUnavailable, StoreUnavailable, NewerSchema):
            return pair
        return newer or pair

    def _wait_for_newer(
        self, seen: TicketPair | None, time_left: TimeLeft, why: Why
    ) -> TicketPair:
        """Refresh, or wait up to 5 s while another thread or worker does."""
        waiting = time_left.at_most(WAIT_SECONDS)
        while self._refresher is not None:
            newer = self._refresh(seen, time_left, why)
            if newer is not None:
                return newer
            if waiting.seconds() <= 0:
                break
            self._clock.sleep(_POLL_SECONDS * (0.5 + self._nonces.draw()))
        raise TicketUnavailable("no refresh in time")

    def _refresh(
        self, seen: TicketPair | None, time_left: TimeLeft, why: Why
    ) -> TicketPair | None:
        """Refresh unless another thread is at it, or just was."""
        if self._refresher is None or not self._refreshing.acquire(blocking=False):
            return None
        try:
            copy = self._copy
            if copy and copy.pair.generation > (seen.generation if seen else 0):
                return copy.pair
            newer = self._refresher.refresh(seen, time_left, why=why)
        finally:
            self._refreshing.release()
        return self._keep(newer).pair if newer else None

    def _keep(self, pair: TicketPair) -> _Copy:
        """Keep a pair, and never an older one than is kept."""
        copy = self._copy
        if copy is None or copy.pair.generation <= pair.generation:
            copy = _Copy(pair, now=self._orders.now(), clock=self._clock)
            self._copy = copy
        return copy


def _sign_with(pair: TicketPair) -> SigningTicket:
    return SigningTicket(pair.ticket, pair.generation)


class ForeignTickets:
    """Tickets that somebody else keeps: renewing means reading again."""

    def __init__(self, source: SecretSource, *, clock: Clock) -> None:
        self._source, self._clock = source, clock
        self._lock = threading.Lock()
        self._kept: tuple[SigningTicket, Since] | None = None

    def current(self, time_left: TimeLeft) -> SigningTicket:  # noqa: ARG002 - the port's
        """Give the ticket, read at most 15 s ago; while it cannot be read, the last."""
        with self._lock:
            kept = self._kept
            if kept is not None and kept[1].seconds() < COPY_SECONDS:
                return kept[0]
            try:
                return self._read()
            except (StoreUnavailable, TicketUnavailable):
                if kept is None:
                    raise
            return kept[0]

    def renew(self, failed: SigningTicket, time_left: TimeLeft) -> SigningTicket:  # noqa: ARG002 - the port's
        """Read again; the same ticket again means that there is none to be had."""
        with self._lock:
            ticket = self._read()
            if ticket.value == failed.value:
                raise TicketUnavailable("its keeper has not renewed it")
            return ticket

    def _read(self) -> SigningTicket:
        value = parse_kept_ticket(self._source.load())
        ticket = self._kept[0] if self._kept else None
        if ticket is None or ticket.value != value:
            ticket = SigningTicket(value, ticket.generation + 1 if ticket else 1)
        self._kept = (ticket, Since(self._clock))
        return ticket


def parse_kept_ticket(kept: Secret) -> Secret:
    """Read a ticket kept by someone else: bare, or JSON with a member `ticket`."""
    text: object = kept.reveal().strip()
    if isinstance(text, str) and text.startswith("{"):
        try:
            members = parse_json(text.encode(errors="surrogatepass"))
        except MalformedJson:
            members = None
        text = members.get("ticket") if isinstance(members, dict) else None
    if not (isinstance(text, str) and text and text.isascii() and text.isprintable()):
        raise TicketUnavailable("its keeper's value is no ticket")
    return Secret(text)

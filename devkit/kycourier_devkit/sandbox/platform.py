"""What the platform grants, and how long it honours it (1007/37304, 1007/37305).

The page is silent on a second ticket for one token; here it supersedes the first.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from kycourier_devkit.sandbox import codes
from kycourier_devkit.sandbox.codes import RefusedError
from kycourier_devkit.sandbox.signing import sign_matches

UNDER_WAY_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Lifetimes:
    """How long things live, in seconds; what the pages say is the default."""

    token_seconds: int = 7200
    ticket_seconds: int = 3600
    coexistence_seconds: float = 60


@dataclass
class Grant:
    """A token or a SIGN ticket: an opaque value, honoured until `dies_at`."""

    value: str = field(repr=False)
    dies_at: float
    superseded_at: float | None = None

    def honoured(self, now: float) -> bool:
        """Whether the platform still takes it."""
        return now < self.dies_at

    def supersede(self, now: float, *, coexistence_seconds: float) -> None:
        """Mark it old: a minute more, whatever its lifetime said."""
        if self.superseded_at is None:
            self.superseded_at = now
            self.revoke(now + coexistence_seconds)

    def revoke(self, at: float) -> None:
        """Let it die at `at`, or earlier if it would have died earlier."""
        self.dies_at = min(self.dies_at, at)


@dataclass
class Generation:
    """A token and the tickets bought with it, the newest last."""

    issued_at: float
    token: Grant
    tickets: list[Grant] = field(default_factory=list)

    def grants(self) -> list[Grant]:
        """List the token and its tickets."""
        return [self.token, *self.tickets]


class Platform:
    """One app's tokens and tickets; not thread-safe, its caller holds a lock."""

    def __init__(
        self, secret: str, *, lifetimes: Lifetimes, new_value: Callable[[], str]
    ) -> None:
        """Start with nothing granted; `new_value` makes tokens and tickets."""
        self._secrets = [secret]  # the last one counts
        self._lifetimes = lifetimes
        self._new_value = new_value
        self._generations: list[Generation] = []
        self._token_calls_in_flight = 0

    def begin_token_call(self, now: float) -> bool:
        """Note that a refresh begins; True if another one is still under way.

        Under way is a token call in flight, or a token younger than ten seconds whose
        ticket nobody has bought yet.
        """
        overlaps = self._token_calls_in_flight > 0 or self._ticket_awaited(now)
        self._token_calls_in_flight += 1
        return overlaps

    def end_token_call(self) -> None:
        """Note that a token call was answered."""
        self._token_calls_in_flight -= 1

    def issue_token(self, secret: str, *, now: float) -> Grant:
        """Issue a token; the older ones and their tickets have a minute left."""
        if not hmac.compare_digest(secret.encode(), self._secrets[-1].encode()):
            raise RefusedError(codes.AUTHENTICATION_FAILED)
        self._supersede(self._grants(), now=now)
        token = Grant(self._new_value(), now + self._lifetimes.token_seconds)
        self._generations.append(Generation(now, token))
        return token

    def buy_ticket(self, token: str, *, now: float) -> Grant:
        """Sell a SIGN ticket, which dies with its token."""
        generation = self._generation_of(token, now)
        self._supersede(generation.tickets, now=now)
        dies_at = now + self._lifetimes.ticket_seconds
        ticket = Grant(
            self._new_value(),
            min(dies_at, generation.token.dies_at),
            generation.token.superseded_at,
        )
        generation.tickets.append(ticket)
        return ticket

    def buy_nonce_ticket(self, token: str, *, now: float) -> str:
        """Sell a NONCE ticket; nothing remembers it, so that it can sign nothing."""
        self._generation_of(token, now)
        return self._new_value()

    def check_sign(self, sign: str, *, values: tuple[str, ...], now: float) -> Grant:
        """Find the honoured ticket that `sign` was made with, else refuse."""
        for generation in reversed(self._generations):
            for ticket in generation.tickets:
                signed = (*values, ticket.value)
                if ticket.honoured(now) and sign_matches(sign, values=signed):
                    return ticket
        raise RefusedError(codes.SIGN_REJECTED)

    def revoke_all(self, now: float) -> None:
        """Kill every token and ticket at once."""
        for grant in self._grants():
            grant.revoke(now)

    def change_secret(self, secret: str, *, now: float) -> None:
        """Take another app secret, which kills every token and ticket at once."""
        self._secrets.append(secret)
        self.revoke_all(now)

    def secrets(self) -> tuple[str, ...]:
        """List every app secret, token and ticket so far, dead or alive."""
        return (*self._secrets, *(grant.value for grant in self._grants()))

    def _grants(self) -> list[Grant]:
        return [grant for entry in self._generations for grant in entry.grants()]

    def _supersede(self, grants: list[Grant], *, now: float) -> None:
        for grant in grants:
            grant.supersede(
                now, coexistence_seconds=self._lifetimes.coexistence_seconds
            )

    def _ticket_awaited(self, now: float) -> bool:
        if not self._generations:
            return False
        newest = self._generations[-1]
        young = now - newest.issued_at < UNDER_WAY_SECONDS
        return young and newest.token.honoured(now) and not newest.tickets

    def _generation_of(self, token: str, now: float) -> Generation:
        for generation in self._generations:
            if generation.token.value == token:
                if generation.token.honoured(now):
                    return generation
                raise RefusedError(codes.TOKEN_EXPIRED)
        raise RefusedError(codes.TOKEN_REJECTED)

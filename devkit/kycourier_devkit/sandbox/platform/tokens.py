"""Issues tokens and tickets and limits their validity (1007/37304, 1007/37305).

The documentation does not cover a second ticket of one token; here it supersedes the
first.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.result_codes import PlatformError
from kycourier_devkit.sandbox.platform.signature import is_signature

_REFRESH_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Lifetimes:
    """Lifetimes in seconds; the defaults are documented."""

    token_seconds: int = 7200
    ticket_seconds: int = 3600
    coexistence_seconds: float = 60


@dataclass
class Grant:
    """A token or a SIGN ticket: an opaque value, valid until `expires_at`."""

    value: str = field(repr=False)
    expires_at: float
    superseded_at: float | None = None

    def is_valid(self, now: float) -> bool:
        """Returns whether the platform accepts it."""
        return now < self.expires_at

    def supersede(self, now: float, *, coexistence_seconds: float) -> None:
        """Marks it as superseded; it expires within the coexistence period."""
        if self.superseded_at is None:
            self.superseded_at = now
            self.revoke(now + coexistence_seconds)

    def revoke(self, at: float) -> None:
        """Expire at `at`, or earlier if it would have expired earlier."""
        self.expires_at = min(self.expires_at, at)


@dataclass
class Generation:
    """A token and the tickets issued for it, the newest last."""

    issued_at: float
    token: Grant
    tickets: list[Grant] = field(default_factory=list)

    def grants(self) -> list[Grant]:
        """Returns the token and its tickets."""
        return [self.token, *self.tickets]


class TokenService:
    """The tokens and tickets of one app; not thread-safe, the caller holds a lock."""

    def __init__(
        self, secret: str, *, lifetimes: Lifetimes, new_value: Callable[[], str]
    ) -> None:
        """Starts without grants; `new_value` generates tokens and tickets."""
        self._secrets = [secret]  # the last one is valid
        self._lifetimes = lifetimes
        self._new_value = new_value
        self._generations: list[Generation] = []
        self._token_calls_in_flight = 0

    def begin_token_call(self, now: float) -> bool:
        """Records the start of a token call.

        Returns:
            Whether it overlaps another refresh: a token call in flight, or a token that
            is younger than ten seconds and has no ticket yet.
        """
        overlaps = self._token_calls_in_flight > 0 or self._is_ticket_pending(now)
        self._token_calls_in_flight += 1
        return overlaps

    def end_token_call(self) -> None:
        """Records the end of a token call."""
        self._token_calls_in_flight -= 1

    def issue_token(self, secret: str, *, now: float) -> Grant:
        """Issues a token; it supersedes the older tokens and their tickets."""
        if not hmac.compare_digest(secret.encode(), self._secrets[-1].encode()):
            raise PlatformError(result_codes.AUTHENTICATION_FAILED)
        self._supersede(self._grants(), now=now)
        token = Grant(self._new_value(), now + self._lifetimes.token_seconds)
        self._generations.append(Generation(now, token))
        return token

    def issue_ticket(self, token: str, *, now: float) -> Grant:
        """Issues a SIGN ticket, which expires with its token at the latest."""
        generation = self._find_generation(token, now)
        self._supersede(generation.tickets, now=now)
        expires_at = now + self._lifetimes.ticket_seconds
        ticket = Grant(
            self._new_value(),
            min(expires_at, generation.token.expires_at),
            generation.token.superseded_at,
        )
        generation.tickets.append(ticket)
        return ticket

    def issue_nonce_ticket(self, token: str, *, now: float) -> str:
        """Issues a NONCE ticket; it is not stored, so that it cannot sign a query."""
        self._find_generation(token, now)
        return self._new_value()

    def find_signing_ticket(
        self, sign: str, *, values: tuple[str, ...], now: float
    ) -> Grant:
        """Returns the valid ticket that `sign` was computed with.

        Raises:
            PlatformError: There is none.
        """
        for generation in reversed(self._generations):
            for ticket in generation.tickets:
                signed = (*values, ticket.value)
                if ticket.is_valid(now) and is_signature(sign, values=signed):
                    return ticket
        raise PlatformError(result_codes.SIGN_REJECTED)

    def revoke_all(self, now: float) -> None:
        """Revokes every token and ticket."""
        for grant in self._grants():
            grant.revoke(now)

    def change_secret(self, secret: str, *, now: float) -> None:
        """Changes the app secret, which revokes every token and ticket."""
        self._secrets.append(secret)
        self.revoke_all(now)

    def secrets(self) -> tuple[str, ...]:
        """Returns every app secret, token and ticket so far."""
        return (*self._secrets, *(grant.value for grant in self._grants()))

    def _grants(self) -> list[Grant]:
        return [grant for entry in self._generations for grant in entry.grants()]

    def _supersede(self, grants: list[Grant], *, now: float) -> None:
        for grant in grants:
            grant.supersede(
                now, coexistence_seconds=self._lifetimes.coexistence_seconds
            )

    def _is_ticket_pending(self, now: float) -> bool:
        if not self._generations:
            return False
        newest = self._generations[-1]
        is_recent = now - newest.issued_at < _REFRESH_SECONDS
        return is_recent and newest.token.is_valid(now) and not newest.tickets

    def _find_generation(self, token: str, now: float) -> Generation:
        for generation in self._generations:
            if generation.token.value == token:
                if generation.token.is_valid(now):
                    return generation
                raise PlatformError(result_codes.TOKEN_EXPIRED)
        raise PlatformError(result_codes.TOKEN_REJECTED)

"""How long a ticket pair may be used, and how it is kept (1007/37304, 37305)."""

from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Struct

from kycourier.core.hidden import Secret, shows
from kycourier.core.stored import decode_stored

SCHEMA = 1
STALE_AFTER = timedelta(minutes=19)
MARGIN = timedelta(seconds=60)
LONGEST_LIFETIME = timedelta(hours=2)


class SigningTicket(Struct, frozen=True):
    """What signs a query, and which generation it is, so that a later one is told."""

    value: Secret
    generation: int


class TicketPair(Struct, frozen=True, kw_only=True):
    """Access token and SIGN ticket, bought together; the shorter life counts."""

    generation: int
    obtained_at: datetime
    expires_in: timedelta
    token: Secret
    ticket: Secret


class Freshness(Enum):
    """What may be done with a pair."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


def refresh_lease(app_id: str) -> str:
    """Name the lease whose holder alone may refresh the app's pair."""
    return f"refresh/{app_id}"


def freshness(pair: TicketPair, *, age: timedelta) -> Freshness:
    """Judge a pair by its age: use it, use it and refresh, or wait for another.

    A pair whose life is short keeps a margin of a quarter, and is stale at half of it.
    """
    margin = min(MARGIN, pair.expires_in / 4)
    if age >= pair.expires_in - margin:
        return Freshness.EXPIRED
    if age >= min(STALE_AFTER, pair.expires_in / 2):
        return Freshness.STALE
    return Freshness.FRESH


@shows("generation")
class _Record(Struct, kw_only=True):
    generation: int
    obtained_at: datetime
    expires_in_seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)]
    token: str
    ticket: str
    schema: int = SCHEMA


def encode_pair(pair: TicketPair) -> bytes:
    """Write the pair as the state store keeps it: JSON, in the clear."""
    return msgspec.json.encode(
        _Record(
            generation=pair.generation,
            obtained_at=pair.obtained_at,
            expires_in_seconds=pair.expires_in.total_seconds(),
            token=pair.token.reveal(),
            ticket=pair.ticket.reveal(),
        )
    )


def decode_pair(text: bytes) -> TicketPair:
    """Read a stored pair; raises NewerSchema, or StoreUnavailable if damaged."""
    record = decode_stored(text, _Record, schema=SCHEMA, name="ticket")
    return TicketPair(
        generation=record.generation,
        obtained_at=record.obtained_at,
        expires_in=timedelta(seconds=record.expires_in_seconds),
        token=Secret(record.token),
        ticket=Secret(record.ticket),
    )

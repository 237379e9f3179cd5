"""The ticket pair: how long it may be used, how it is stored (1007/37304, 37305)."""

from datetime import datetime, timedelta
from enum import Enum
from typing import Annotated

import msgspec
from msgspec import Struct

from kycourier.core.redaction import Secret, repr_only
from kycourier.core.timing import TICKET_EXPIRY_MARGIN, TICKET_STALE_AFTER
from kycourier.core.versioned import decode_versioned

SCHEMA = 1


class SigningTicket(Struct, frozen=True):
    """The ticket that signs a query, and its generation."""

    value: Secret
    generation: int


class TicketPair(Struct, frozen=True, kw_only=True):
    """Access token and SIGN ticket, issued together; the shorter lifetime counts."""

    generation: int
    obtained_at: datetime
    expires_in: timedelta
    token: Secret
    ticket: Secret


class Freshness(Enum):
    """Whether a pair may be used: yes; yes, while it is refreshed; no."""

    FRESH = "fresh"
    STALE = "stale"
    EXPIRED = "expired"


def freshness(pair: TicketPair, *, age: timedelta) -> Freshness:
    """Returns a pair's freshness at an age.

    A pair with a short lifetime keeps a margin of a quarter, and is stale at half.
    """
    margin = min(TICKET_EXPIRY_MARGIN, pair.expires_in / 4)
    if age >= pair.expires_in - margin:
        return Freshness.EXPIRED
    if age >= min(TICKET_STALE_AFTER, pair.expires_in / 2):
        return Freshness.STALE
    return Freshness.FRESH


@repr_only("generation")
class _Record(Struct, kw_only=True):
    generation: int
    obtained_at: datetime
    expires_in_seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)]
    token: str
    ticket: str
    schema: int = SCHEMA


def encode_pair(pair: TicketPair) -> bytes:
    """Encodes the pair for the state store: JSON, in clear."""
    return msgspec.json.encode(
        _Record(
            generation=pair.generation,
            obtained_at=pair.obtained_at,
            expires_in_seconds=pair.expires_in.total_seconds(),
            token=pair.token.expose(),
            ticket=pair.ticket.expose(),
        )
    )


def decode_pair(text: bytes) -> TicketPair:
    """Decodes a pair. Raises NewerSchemaError, StoreUnavailableError if damaged."""
    record = decode_versioned(text, _Record, schema=SCHEMA, name="ticket")
    return TicketPair(
        generation=record.generation,
        obtained_at=record.obtained_at,
        expires_in=timedelta(seconds=record.expires_in_seconds),
        token=Secret(record.token),
        ticket=Secret(record.ticket),
    )

"""Parses the platform's replies to token and ticket calls."""

from datetime import timedelta

from msgspec import Struct

from kycourier.core.causes import Cause
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import ReplyBody, Secret, scrub_traceback
from kycourier.core.result_codes import OK_CODE, Rejected, load_codes
from kycourier.core.timing import TICKET_LIFETIME_MAX
from kycourier.core.wire.lenient_fields import (
    parse_code,
    parse_lifetime,
    parse_object,
    parse_secret,
)


class IssuedCredential(Struct, frozen=True):
    """A token or a ticket, and its lifetime."""

    value: Secret
    lifetime: timedelta


@scrub_traceback
def parse_token_reply(body: ReplyBody) -> IssuedCredential | Rejected:
    """Parses an access token (1007/37304). Raises MalformedReplyError."""
    reply = parse_object(body)
    code = parse_code(reply.get("code"))
    if code != OK_CODE:
        return load_codes().classify(code)
    return _parse_credential(
        reply.get("access_token"), reply.get("expire_in"), field="token"
    )


@scrub_traceback
def parse_ticket_reply(body: ReplyBody) -> IssuedCredential | Rejected:
    """Parses a SIGN ticket: exactly one entry (1007/37305).

    Raises:
        MalformedReplyError: the reply is not JSON, or lacks a ticket or lifetime.
    """
    reply = parse_object(body)
    code = parse_code(reply.get("code"))
    if code != OK_CODE:
        return load_codes().classify(code)
    tickets = reply.get("tickets")
    entry = tickets[0] if isinstance(tickets, list) and len(tickets) == 1 else None
    if not isinstance(entry, dict):
        raise MalformedReplyError(Cause.REPLY_MALFORMED, "ticket")
    return _parse_credential(entry.get("value"), entry.get("expire_in"), field="ticket")


def _parse_credential(
    value: object, expire_in: object, *, field: str
) -> IssuedCredential:
    return IssuedCredential(
        parse_secret(value, field=field),
        parse_lifetime(expire_in, cap=TICKET_LIFETIME_MAX),
    )

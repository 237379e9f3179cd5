"""Parses the platform's replies to token and ticket calls."""

from datetime import timedelta

from msgspec import Struct

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
    return _parse_credential(reply.get("access_token"), reply.get("expire_in"))


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
    if not (isinstance(tickets, list) and len(tickets) == 1):
        raise MalformedReplyError("not exactly one ticket")
    entry = tickets[0]
    if not isinstance(entry, dict):
        raise MalformedReplyError("ticket entry")
    return _parse_credential(entry.get("value"), entry.get("expire_in"))


def _parse_credential(value: object, expire_in: object) -> IssuedCredential:
    return IssuedCredential(
        parse_secret(value), parse_lifetime(expire_in, cap=TICKET_LIFETIME_MAX)
    )

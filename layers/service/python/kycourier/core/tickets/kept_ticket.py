"""Parses a ticket that another service keeps."""

import re

from kycourier.core.causes import Cause, Problem
from kycourier.core.errors import TicketUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.strict_json import MalformedJsonError, parse_json

_TICKET = re.compile("[A-Za-z0-9._~+/=-]{1,1024}")
_NOTHING = {"null", "None"}  # an absent value, serialized
_JAVA_SERIALIZED = "rO0AB"  # in Base64


def parse_kept_ticket(kept: Secret) -> Secret:
    """Parses a kept value.

    Args:
        kept: The ticket as the other service stored it: bare, in JSON quotes, as
            `{"ticket": …}` or `{"value": …}`, or the platform's own reply.

    Returns:
        The ticket.

    Raises:
        TicketUnavailableError: the value has another form.
    """
    text: object = kept.expose().strip("\ufeff \t\r\n")
    if isinstance(text, str) and text.startswith(("{", '"')):
        text = _unwrap(text)
    if (
        isinstance(text, str)
        and _TICKET.fullmatch(text)
        and not text.startswith(_JAVA_SERIALIZED)
        and text not in _NOTHING
    ):
        return Secret(text)
    raise TicketUnavailableError(Problem(Cause.TICKET_UNREADABLE))


def _unwrap(text: str) -> object:
    """Returns the ticket in a JSON value; None if there is not exactly one."""
    try:
        value = parse_json(text.encode(errors="surrogatepass"))
    except MalformedJsonError:
        return None
    if not isinstance(value, dict):
        return value
    if isinstance(entries := value.get("tickets"), list):
        value = entries[0] if len(entries) == 1 else None
    members = value if isinstance(value, dict) else {}
    found = [members[name] for name in ("ticket", "value") if name in members]
    return found[0] if len(found) == 1 else None

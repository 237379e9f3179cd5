"""Parses a ticket that another service keeps."""

from kycourier.core.errors import TicketUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.strict_json import MalformedJsonError, parse_json


def parse_kept_ticket(kept: Secret) -> Secret:
    """Parses a kept value: the bare ticket, or JSON with a member `ticket`.

    Args:
        kept: The value as the other service stored it.

    Returns:
        The ticket: printable ASCII.

    Raises:
        TicketUnavailableError: the value has another form.
    """
    text: object = kept.expose().strip()
    if isinstance(text, str) and text.startswith("{"):
        try:
            members = parse_json(text.encode(errors="surrogatepass"))
        except MalformedJsonError:
            members = None
        text = members.get("ticket") if isinstance(members, dict) else None
    if not (isinstance(text, str) and text and text.isascii() and text.isprintable()):
        raise TicketUnavailableError("the value is not a ticket")
    return Secret(text)

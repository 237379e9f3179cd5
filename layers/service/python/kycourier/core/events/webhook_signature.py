"""Signs webhooks as the Standard Webhooks specification (v1) describes."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from kycourier.core.redaction import Redacted, Secret, scrub_traceback

PREFIX = "whsec_"
MIN_KEY_BYTES, MAX_KEY_BYTES = 24, 64
MAX_SECRETS = 2


class WebhookKey(Redacted[bytes]):
    """The bytes of a `whsec_` secret."""

    __slots__ = ()


@scrub_traceback
def parse_secrets(secret: Secret) -> tuple[WebhookKey, ...] | None:
    """Parses one or two `whsec_` secrets, a line each; None for any other form."""
    lines = [line.strip() for line in secret.expose().splitlines()]
    keys = [_parse_key(line) for line in lines if line]
    if not 1 <= len(keys) <= MAX_SECRETS:
        return None
    found = tuple(key for key in keys if key is not None)
    return found if len(found) == len(keys) else None


@scrub_traceback
def sign(event_id: str, timestamp: int, body: bytes, keys: Sequence[WebhookKey]) -> str:
    """Returns the value of `webhook-signature`: one signature for each key."""
    content = f"{event_id}.{timestamp}.".encode() + body
    digests = (hmac.digest(key.expose(), content, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _parse_key(text: str) -> WebhookKey | None:
    """Parses strictly: only Base64 that the key encodes to again."""
    if not (text.isascii() and text.startswith(PREFIX)):
        return None
    encoded = text.removeprefix(PREFIX)
    encoded += "=" * (-len(encoded) % 4)  # some tools leave the padding out
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return None
    if base64.b64encode(key).decode() != encoded:
        return None
    return WebhookKey(key) if MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES else None

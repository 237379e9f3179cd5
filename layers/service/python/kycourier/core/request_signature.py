"""The signature that proves who sent a request: HMAC-SHA-256, good for five minutes.

`X-Kycourier-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>]`, in this order, nothing
more. `v1` is over five lines: t, METHOD, path from `/v1` on, query, SHA-256 of the body
in lower-case hex. A worked vector stands in tests/data/request_signature_vectors.json.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

from kycourier.core.errors import BadRequest
from kycourier.core.hidden import Secret, shows

HEADER = "X-Kycourier-Signature"
TOLERANCE_SECONDS = 300
_MOST_KEYS = 2
_LONGEST = 256
_SENT = re.compile(
    r"t=(?P<at>[1-9][0-9]{0,11})"
    r",v1=(?P<first>[0-9A-Fa-f]{64})(?:,v1=(?P<second>[0-9A-Fa-f]{64}))?"
)


@shows("method")
class SignedRequest(Struct, frozen=True, kw_only=True):
    """What is signed. `path` begins with `/v1`, `body` is as sent, before Base64."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""


def sign_request(request: SignedRequest, *, key: Secret, at: datetime) -> str:
    """Give the header's value for a request sent at `at`."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={_digest(_spell_request(request, seconds), key)}"


def check_signature(
    sent: Sequence[str],
    request: SignedRequest,
    *,
    keys: Sequence[Secret],
    now: datetime,
) -> datetime:
    """Check the header's values as received against every live key, in constant time.

    Gives when it was signed, aware UTC. Raises BadRequest `signature_missing`,
    `signature_malformed` (also for more than one header), `signature_mismatch`, or
    `signature_expired` when `t` is over 300 s off.
    """
    if not sent:
        raise BadRequest("signature_missing")
    found = None
    if len(sent) == 1 and len(sent[0]) <= _LONGEST:
        found = _SENT.fullmatch(sent[0])
    if found is None:
        raise BadRequest("signature_malformed")
    claimed = [found["first"].lower(), (found["second"] or found["first"]).lower()]
    signed = _spell_request(request, found["at"])
    matches = [
        hmac.compare_digest(_digest(signed, key), digest)
        for key in keys
        for digest in claimed
    ]
    if not any(matches):
        raise BadRequest("signature_mismatch")
    seconds = int(found["at"])
    if abs(now.timestamp() - seconds) > TOLERANCE_SECONDS:
        raise BadRequest("signature_expired")
    return datetime.fromtimestamp(seconds, timezone.utc)


def parse_keys(kept: Secret) -> tuple[Secret, ...] | None:
    """Read one or two keys, a line each, as they stand: only line ends are removed.

    None when they are not one or two, or one is blank. Use 32 random characters.
    """
    lines = kept.reveal().removesuffix("\n").split("\n")
    keys = tuple(Secret(line.removesuffix("\r")) for line in lines)
    is_usable = len(keys) <= _MOST_KEYS and all(key.reveal().strip() for key in keys)
    return keys if is_usable else None


def canonical_query(query: str) -> str:
    """Spell a query as RFC 3986 pairs, sorted by name and then by value.

    Each name and value is decoded once and encoded again, all but `A-Za-z0-9-._~`; `+`
    is a plus sign, a `%` without two hexadecimal digits itself, a bare name has an
    empty value, and an empty pair is dropped.
    """
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(
        f"{name}={value}"
        for name, value in sorted(
            (_spell(name), _spell(value)) for name, _, value in pairs
        )
    )


def _spell(text: str) -> str:
    return quote(unquote_to_bytes(_encode(text)), safe="")


def _spell_request(request: SignedRequest, seconds: str) -> bytes:
    """Spell the five lines that are signed."""
    lines = (
        seconds,
        request.method,
        request.path,
        canonical_query(request.query),
        hashlib.sha256(request.body).hexdigest(),
    )
    return _encode("\n".join(lines))


def _digest(signed: bytes, key: Secret) -> str:
    return hmac.new(key.reveal().encode(), signed, hashlib.sha256).hexdigest()


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

"""Signs HTTP requests with HMAC-SHA-256, and checks signatures; they expire.

The header is `X-Kycourier-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>]`, in this
order and with nothing more. `v1` covers five lines: t, METHOD, the path from `/v1` on,
the canonical query, and the body's SHA-256 in lower-case hex. Test vectors are in
tests/data/request_signature_vectors.json.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

from kycourier.core.errors import ApiProblemError
from kycourier.core.redaction import Secret, repr_only
from kycourier.core.timing import SIGNATURE_TOLERANCE_SECONDS

HEADER = "X-Kycourier-Signature"
_MAX_KEYS = 2
_MAX_HEADER_LENGTH = 256
_HEADER_FORM = re.compile(
    r"t=(?P<at>[1-9][0-9]{0,11})"
    r",v1=(?P<first>[0-9A-Fa-f]{64})(?:,v1=(?P<second>[0-9A-Fa-f]{64}))?"
)


@repr_only("method")
class SignedRequest(Struct, frozen=True, kw_only=True):
    """The parts of a request that are signed.

    Attributes:
        method: The method, in upper case.
        path: The path, which begins with `/v1`.
        query: The query as sent, without `?`.
        body: The body, before any Base64 of a gateway.
    """

    method: str
    path: str
    query: str = ""
    body: bytes = b""


def sign_request(request: SignedRequest, *, key: Secret, at: datetime) -> str:
    """Returns the header's value for a request sent at `at`."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={_digest(_canonical_request(request, seconds), key)}"


def check_signature(
    sent: Sequence[str],
    request: SignedRequest,
    *,
    keys: Sequence[Secret],
    now: datetime,
) -> datetime:
    """Checks a request's signature, and returns when it was signed, aware UTC.

    Args:
        sent: The header's values as received.
        request: The request.
        keys: The active keys; all are compared, in constant time.
        now: The current time.

    Raises:
        ApiProblemError: `signature_missing`, `signature_malformed` (also for more than
            one header), `signature_mismatch`, or `signature_expired` if `t` is off by
            more than SIGNATURE_TOLERANCE_SECONDS.
    """
    if not sent:
        raise ApiProblemError("signature_missing")
    header = None
    if len(sent) == 1 and len(sent[0]) <= _MAX_HEADER_LENGTH:
        header = _HEADER_FORM.fullmatch(sent[0])
    if header is None:
        raise ApiProblemError("signature_malformed")
    claimed = [header["first"].lower(), (header["second"] or header["first"]).lower()]
    signed = _canonical_request(request, header["at"])
    matches = [
        hmac.compare_digest(_digest(signed, key), digest)
        for key in keys
        for digest in claimed
    ]
    if not any(matches):
        raise ApiProblemError("signature_mismatch")
    seconds = int(header["at"])
    if abs(now.timestamp() - seconds) > SIGNATURE_TOLERANCE_SECONDS:
        raise ApiProblemError("signature_expired")
    return datetime.fromtimestamp(seconds, timezone.utc)


def parse_keys(secret: Secret) -> tuple[Secret, ...] | None:
    """Parses a secret of one or two keys, one per line, without the blanks around it.

    Keys should be 32 random characters.

    Returns:
        The keys; None if there are none, or more than two.
    """
    lines = [line.strip() for line in secret.expose().split("\n")]
    keys = tuple(Secret(line) for line in lines if line)
    return keys if 0 < len(keys) <= _MAX_KEYS else None


def canonical_query(query: str) -> str:
    """Returns a query in canonical form: RFC 3986, sorted by name and then by value.

    Each name and value is decoded once and encoded again, except `A-Za-z0-9-._~`. A `+`
    stays a plus sign, a `%` without two hexadecimal digits stays a percent sign, a name
    without `=` has an empty value, and empty pairs are dropped.
    """
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return "&".join(
        f"{name}={value}"
        for name, value in sorted(
            (_reencode(name), _reencode(value)) for name, _, value in pairs
        )
    )


def _reencode(text: str) -> str:
    return quote(unquote_to_bytes(_encode(text)), safe="")


def _canonical_request(request: SignedRequest, seconds: str) -> bytes:
    """Returns the five lines that are signed."""
    lines = (
        seconds,
        request.method,
        request.path,
        canonical_query(request.query),
        hashlib.sha256(request.body).hexdigest(),
    )
    return _encode("\n".join(lines))


def _digest(signed: bytes, key: Secret) -> str:
    return hmac.new(key.expose().encode(), signed, hashlib.sha256).hexdigest()


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

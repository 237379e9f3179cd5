"""Verifies AWS Signature Version 4 as COS does: in headers, or in a link's query."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from kycourier_devkit.emulators.tencent.http_server import Request
from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError, Key, sign

MAX_SKEW_SECONDS = 900
_ALGORITHM, _ENDING = "AWS4-HMAC-SHA256", "aws4_request"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<scope>\S+),\s*"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_SCOPE = re.compile(
    rf"(?P<id>[^/]+)/(?P<day>\d{{8}})/(?P<region>[a-z0-9-]+)/s3/{_ENDING}"
)


class _Signature(NamedTuple):
    """The signature's parameters in a request; it expires at `ends_at` (Unix time)."""

    scope: str
    headers: str
    signature: str
    date: str
    token: str | None
    payload: str
    ends_at: float | None


def verify_signature(request: Request, keys: Mapping[str, Key], *, now: float) -> Key:
    """Returns the key that signed a request at Unix time `now`.

    Raises:
        CallRefusedError: the signature is missing, wrong or expired.
    """
    path, _, query = request.path.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    claimed = _in_query(dict(pairs)) or _in_headers(request)
    found = _SCOPE.fullmatch(claimed.scope) if claimed else None
    if claimed is None or found is None:
        raise CallRefusedError("AccessDenied", "the request is not signed")
    key = keys.get(found["id"])
    if key is None:
        raise CallRefusedError("InvalidAccessKeyId", "the key does not exist")
    signed_at = _to_unix(claimed.date)
    ends_at = claimed.ends_at or signed_at + MAX_SKEW_SECONDS
    if not signed_at - MAX_SKEW_SECONDS <= now <= ends_at:
        raise CallRefusedError(
            "RequestTimeTooSkewed", "the signature is not yet or no longer valid"
        )
    if claimed.token != key.token:
        raise CallRefusedError("AccessDenied", "the token is invalid")
    signed = [pair for pair in pairs if pair[0] != "X-Amz-Signature"]
    canonical = _canonical(request, path, signed, claimed)
    scope = claimed.scope.partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{_ALGORITHM}\n{claimed.date}\n{scope}\n{digest}"
    expected = sign(f"AWS4{key.secret_key}", scope.split("/"), text)
    if not hmac.compare_digest(expected, claimed.signature):
        raise CallRefusedError("SignatureDoesNotMatch", "the signature does not match")
    return key


def _in_headers(request: Request) -> _Signature | None:
    headers = request.headers
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    payload = headers.get("x-amz-content-sha256", "")
    if found is None or payload != hashlib.sha256(request.body).hexdigest():
        return None
    return _Signature(
        scope=found["scope"],
        headers=found["headers"],
        signature=found["signature"],
        date=headers.get("x-amz-date", ""),
        token=headers.get("x-amz-security-token"),
        payload=payload,
        ends_at=None,
    )


def _in_query(query: Mapping[str, str]) -> _Signature | None:
    if query.get("X-Amz-Algorithm") != _ALGORITHM:
        return None
    date = query.get("X-Amz-Date", "")
    seconds = int(query.get("X-Amz-Expires", "0"))
    return _Signature(
        scope=query.get("X-Amz-Credential", ""),
        headers=query.get("X-Amz-SignedHeaders", ""),
        signature=query.get("X-Amz-Signature", ""),
        date=date,
        token=query.get("X-Amz-Security-Token"),
        payload="UNSIGNED-PAYLOAD",
        ends_at=_to_unix(date) + seconds,
    )


def _to_unix(date: str) -> float:
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%S%z").timestamp()
    except ValueError:
        return 0.0


def _canonical(
    request: Request, path: str, pairs: list[tuple[str, str]], claimed: _Signature
) -> str:
    names = claimed.headers.split(";")
    if "host" not in names or any(name not in request.headers for name in names):
        raise CallRefusedError("SignatureDoesNotMatch", "a signed header is missing")
    escape = partial(quote, safe="-_.~")
    query = "&".join(sorted(f"{escape(name)}={escape(text)}" for name, text in pairs))
    headers = "".join(
        f"{name}:{' '.join(request.headers[name].split())}\n" for name in names
    )
    parts = (request.method, path, query, headers, claimed.headers, claimed.payload)
    return "\n".join(parts)

"""AWS's Signature Version 4 as COS checks it: in the headers, or in a link's query."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from kycourier_devkit.stand_ins.tencent.loopback import Request
from kycourier_devkit.stand_ins.tencent.tc3 import Key, Refusal, sign

MOST_SKEW_SECONDS = 900
_ALGORITHM, _ENDING = "AWS4-HMAC-SHA256", "aws4_request"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<scope>\S+),\s*"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_SCOPE = re.compile(
    rf"(?P<id>[^/]+)/(?P<day>\d{{8}})/(?P<region>[a-z0-9-]+)/s3/{_ENDING}"
)


class _Claim(NamedTuple):
    """What a request says of its own signature; it ends at `ends_at` (Unix seconds)."""

    scope: str
    headers: str
    signature: str
    date: str
    token: str | None
    payload: str
    ends_at: float | None


def check_signature(request: Request, keys: Mapping[str, Key], *, now: float) -> Key:
    """Give whose request it is, at `now` (Unix seconds). Raises Refusal."""
    path, _, query = request.path.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    claim = _in_query(dict(pairs)) or _in_headers(request)
    found = _SCOPE.fullmatch(claim.scope) if claim else None
    if claim is None or found is None:
        raise Refusal("AccessDenied", "not signed")
    key = keys.get(found["id"])
    if key is None:
        raise Refusal("InvalidAccessKeyId", "no such key")
    made_at = _moment(claim.date)
    ends_at = claim.ends_at or made_at + MOST_SKEW_SECONDS
    if not made_at - MOST_SKEW_SECONDS <= now <= ends_at:
        raise Refusal("RequestTimeTooSkewed", "too early or too late")
    if claim.token != key.token:
        raise Refusal("AccessDenied", "the token is invalid")
    signed = [pair for pair in pairs if pair[0] != "X-Amz-Signature"]
    canonical = _canonical(request, path, signed, claim)
    scope = claim.scope.partition("/")[2]
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{_ALGORITHM}\n{claim.date}\n{scope}\n{digest}"
    expected = sign(f"AWS4{key.secret_key}", scope.split("/"), text)
    if not hmac.compare_digest(expected, claim.signature):
        raise Refusal("SignatureDoesNotMatch", "the signature does not fit")
    return key


def _in_headers(request: Request) -> _Claim | None:
    headers = request.headers
    found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
    payload = headers.get("x-amz-content-sha256", "")
    if found is None or payload != hashlib.sha256(request.body).hexdigest():
        return None
    return _Claim(
        scope=found["scope"],
        headers=found["headers"],
        signature=found["signature"],
        date=headers.get("x-amz-date", ""),
        token=headers.get("x-amz-security-token"),
        payload=payload,
        ends_at=None,
    )


def _in_query(query: Mapping[str, str]) -> _Claim | None:
    if query.get("X-Amz-Algorithm") != _ALGORITHM:
        return None
    date = query.get("X-Amz-Date", "")
    seconds = int(query.get("X-Amz-Expires", "0"))
    return _Claim(
        scope=query.get("X-Amz-Credential", ""),
        headers=query.get("X-Amz-SignedHeaders", ""),
        signature=query.get("X-Amz-Signature", ""),
        date=date,
        token=query.get("X-Amz-Security-Token"),
        payload="UNSIGNED-PAYLOAD",
        ends_at=_moment(date) + seconds,
    )


def _moment(date: str) -> float:
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%S%z").timestamp()
    except ValueError:
        return 0.0


def _canonical(
    request: Request, path: str, pairs: list[tuple[str, str]], claim: _Claim
) -> str:
    names = claim.headers.split(";")
    if "host" not in names or any(name not in request.headers for name in names):
        raise Refusal("SignatureDoesNotMatch", "a signed header is missing")
    plain: Callable[[str], str] = lambda text: quote(text, safe="-_.~")  # noqa: E731 - one word for it
    query = "&".join(sorted(f"{plain(name)}={plain(text)}" for name, text in pairs))
    headers = "".join(
        f"{name}:{' '.join(request.headers[name].split())}\n" for name in names
    )
    parts = (request.method, path, query, headers, claim.headers, claim.payload)
    return "\n".join(parts)

"""Verifies TC3-HMAC-SHA256 signatures as Tencent Cloud's API does.

https://cloud.tencent.com/document/api/1278/55259 (signature v3). Its optional parts are
required here: JSON by POST alone, the payload hashed, host and content type signed.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from kycourier_devkit.emulators.tencent.http_server import Request

MAX_SKEW_SECONDS = 300
_ALGORITHM, _ENDING = "TC3-HMAC-SHA256", "tc3_request"
_REQUIRED = {"content-type", "host"}
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<id>[^/,\s]+)/(?P<date>[0-9-]+)/"
    rf"(?P<service>[a-z0-9]+)/{_ENDING},\s*SignedHeaders=(?P<headers>[a-z0-9;-]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


class CallRefusedError(Exception):
    """An error response of the API: its code and its message."""

    def __init__(self, code: str, message: str = "rejected") -> None:
        super().__init__(code)
        self.code, self.message = code, message


class Key(NamedTuple):
    """An access key and its permissions; `token` makes it a temporary one.

    `denied` lists actions (`ssm:GetSecretValue`); `allowed`, if set, denies all others.
    """

    secret_id: str
    secret_key: str
    token: str | None = None
    denied: frozenset[str] = frozenset()
    allowed: frozenset[str] | None = None

    def permits(self, action: str) -> bool:
        """Returns whether the key's owner may call an action."""
        return action not in self.denied and action in (self.allowed or {action})


class Signed(NamedTuple):
    """The key that signed a request, and the service it was signed for."""

    key: Key
    service: str


def verify(request: Request, keys: Mapping[str, Key], *, now: float) -> Signed:
    """Verifies a signature at Unix time `now`. Raises CallRefusedError."""
    if request.method != "POST":
        raise CallRefusedError("UnsupportedProtocol", "only POST is supported here")
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise CallRefusedError(
            "AuthFailure.InvalidAuthorization", "malformed Authorization"
        )
    key = keys.get(found["id"])
    if key is None:
        raise CallRefusedError(
            "AuthFailure.SecretIdNotFound", "the SecretId is not found"
        )
    timestamp = _timestamp(request, now)
    day = datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%d")
    names = found["headers"].split(";")
    signs_all = names == sorted(set(names)) and set(names) >= _REQUIRED
    if found["date"] != day or not signs_all:
        raise CallRefusedError(
            "AuthFailure.SignatureFailure", "scope or headers do not match"
        )
    if request.headers.get("x-tc-token") != key.token:
        raise CallRefusedError("AuthFailure.TokenFailure", "the token is invalid")
    text = _string_to_sign(request, names, f"{day}/{found['service']}", timestamp)
    expected = sign(f"TC3{key.secret_key}", (day, found["service"], _ENDING), text)
    if not hmac.compare_digest(expected, found["signature"]):
        raise CallRefusedError(
            "AuthFailure.SignatureFailure", "the signature does not match"
        )
    return Signed(key, found["service"])


def _timestamp(request: Request, now: float) -> int:
    text = request.headers.get("x-tc-timestamp", "")
    if not re.fullmatch("[0-9]{1,11}", text):
        raise CallRefusedError("MissingParameter", "X-TC-Timestamp")
    if abs(now - int(text)) > MAX_SKEW_SECONDS:
        raise CallRefusedError(
            "AuthFailure.SignatureExpire", "the signature has expired"
        )
    return int(text)


def _string_to_sign(
    request: Request, names: list[str], scope: str, timestamp: int
) -> str:
    missing = [name for name in names if name not in request.headers]
    if missing:
        raise CallRefusedError(
            "AuthFailure.SignatureFailure", "a signed header is missing"
        )
    path, _, query = request.path.partition("?")
    headers = "".join(f"{name}:{_normalize(request.headers[name])}\n" for name in names)
    payload = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join(
        (request.method, path, query, headers, ";".join(names), payload)
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join((_ALGORITHM, str(timestamp), f"{scope}/{_ENDING}", digest))


def _normalize(text: str) -> str:
    return text.strip().lower()


def sign(secret: str, scope: Iterable[str], text: str) -> str:
    """Signs with a key derived from a secret for a scope, as AWS does too."""
    derived = secret.encode()
    for part in scope:
        derived = hmac.digest(derived, part.encode(), "sha256")
    return hmac.digest(derived, text.encode(), "sha256").hex()

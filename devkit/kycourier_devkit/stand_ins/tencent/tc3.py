"""TC3-HMAC-SHA256 as Tencent Cloud's API checks it: who signed a request, and when.

https://cloud.tencent.com/document/api/1278/55259 (signature v3). Its optional parts are
demanded here: JSON by POST alone, the payload hashed, host and content type signed.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import NamedTuple

from kycourier_devkit.stand_ins.tencent.loopback import Request

MOST_SKEW_SECONDS = 300
_ALGORITHM, _ENDING = "TC3-HMAC-SHA256", "tc3_request"
_NEEDED = {"content-type", "host"}
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<id>[^/,\s]+)/(?P<date>[0-9-]+)/"
    rf"(?P<service>[a-z0-9]+)/{_ENDING},\s*SignedHeaders=(?P<headers>[a-z0-9;-]+),\s*"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


class Refusal(Exception):  # noqa: N818 - the API's answer, not our failure
    """What the API answers instead: its symbol and its text."""

    def __init__(self, code: str, message: str = "refused") -> None:
        super().__init__(code)
        self.code, self.message = code, message


class Key(NamedTuple):
    """A key pair that the API knows; `token` makes it a temporary one.

    `denied` are actions that its owner may not call (`ssm:GetSecretValue`); where
    `allowed` says something, no others may be called either.
    """

    secret_id: str
    secret_key: str
    token: str | None = None
    denied: frozenset[str] = frozenset()
    allowed: frozenset[str] | None = None

    def may(self, action: str) -> bool:
        """Tell whether its owner may call an action."""
        return action not in self.denied and action in (self.allowed or {action})


class Signed(NamedTuple):
    """Whose request it is, and for which service it was signed."""

    key: Key
    service: str


def verify(request: Request, keys: Mapping[str, Key], *, now: float) -> Signed:
    """Check a request's signature, at `now` (Unix seconds). Raises Refusal."""
    if request.method != "POST":
        raise Refusal("UnsupportedProtocol", "only POST is supported here")
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        raise Refusal("AuthFailure.InvalidAuthorization", "malformed Authorization")
    key = keys.get(found["id"])
    if key is None:
        raise Refusal("AuthFailure.SecretIdNotFound", "the SecretId is not found")
    timestamp = _timestamp(request, now)
    day = datetime.fromtimestamp(timestamp, timezone.utc).strftime("%Y-%m-%d")
    names = found["headers"].split(";")
    signs_all = names == sorted(set(names)) and set(names) >= _NEEDED
    if found["date"] != day or not signs_all:
        raise Refusal("AuthFailure.SignatureFailure", "scope or headers do not fit")
    if request.headers.get("x-tc-token") != key.token:
        raise Refusal("AuthFailure.TokenFailure", "the token is invalid")
    text = _string_to_sign(request, names, f"{day}/{found['service']}", timestamp)
    expected = sign(f"TC3{key.secret_key}", (day, found["service"], _ENDING), text)
    if not hmac.compare_digest(expected, found["signature"]):
        raise Refusal("AuthFailure.SignatureFailure", "the signature does not fit")
    return Signed(key, found["service"])


def _timestamp(request: Request, now: float) -> int:
    text = request.headers.get("x-tc-timestamp", "")
    if not re.fullmatch("[0-9]{1,11}", text):
        raise Refusal("MissingParameter", "X-TC-Timestamp")
    if abs(now - int(text)) > MOST_SKEW_SECONDS:
        raise Refusal("AuthFailure.SignatureExpire", "the signature has expired")
    return int(text)


def _string_to_sign(
    request: Request, names: list[str], scope: str, timestamp: int
) -> str:
    missing = [name for name in names if name not in request.headers]
    if missing:
        raise Refusal("AuthFailure.SignatureFailure", "a signed header is missing")
    path, _, query = request.path.partition("?")
    headers = "".join(f"{name}:{_plain(request.headers[name])}\n" for name in names)
    payload = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join(
        (request.method, path, query, headers, ";".join(names), payload)
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join((_ALGORITHM, str(timestamp), f"{scope}/{_ENDING}", digest))


def _plain(text: str) -> str:
    return text.strip().lower()


def sign(secret: str, scope: Iterable[str], text: str) -> str:
    """Sign with a key that is derived from a secret for a scope, as AWS does too."""
    derived = secret.encode()
    for part in scope:
        derived = hmac.digest(derived, part.encode(), "sha256")
    return hmac.digest(derived, text.encode(), "sha256").hex()

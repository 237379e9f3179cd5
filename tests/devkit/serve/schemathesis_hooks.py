"""Signs schemathesis's requests as docs/http-api.md describes, without our code."""

import hashlib
import hmac
import os
import re
import time
from urllib.parse import quote, unquote_to_bytes, urlsplit

import schemathesis
from requests import PreparedRequest
from requests.auth import AuthBase

APP_ID = re.compile("[A-Za-z0-9]{1,32}")


class Signer(AuthBase):
    """Adds the signature of the request as it is sent."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        parts = urlsplit(request.url)
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        at = str(int(time.time()))  # noqa: TID251 - no part of the service
        digest = hashlib.sha256(body).hexdigest()
        lines = (at, request.method, parts.path, canonical_query(parts.query), digest)
        signed = hmac.new(self._key, "\n".join(lines).encode(), "sha256").hexdigest()
        request.headers["X-Kycourier-Signature"] = f"t={at},v1={signed}"
        return request


def canonical_query(query: str) -> str:
    """Return the pairs sorted, each decoded and encoded again."""
    pairs = sorted(
        [quote(unquote_to_bytes(part), safe="") for part in pair.partition("=")[::2]]
        for pair in query.split("&")
        if pair
    )
    return "&".join(f"{name}={value}" for name, value in pairs)


@schemathesis.hook
def map_body(_: object, body: object) -> object:
    """Use the deployment's app id, which the description cannot contain."""
    if isinstance(body, dict) and APP_ID.fullmatch(str(body.get("app_id"))):
        return body | {"app_id": "SANDBOX1"}
    return body


@schemathesis.hook
def before_call(_: object, case: schemathesis.Case, __: object) -> None:
    """Leave out a made-up cursor: one is only ever what a page before returned."""
    case.query.pop("cursor", None)


schemathesis.auth.set_from_requests(Signer(os.environ["API_KEY"]))  # noqa: TID251 - no part of the service

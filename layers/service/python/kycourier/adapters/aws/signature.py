"""Signs POST requests with AWS Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from kycourier.adapters.aws.credentials import AwsCredentials

_ALGORITHM, _TERMINATOR = "AWS4-HMAC-SHA256", "aws4_request"


def sign_post(
    headers: Mapping[str, str],
    body: bytes,
    *,
    path: str,
    service: str,
    region: str,
    credentials: AwsCredentials,
    now: datetime,
) -> dict[str, str]:
    """Returns `headers` with those of a signature over all of them and the body.

    Args:
        headers: The headers, including `Host`.
        body: The body.
        path: The path, without a query or characters that need escaping.
        service: The service's name in the signature.
        region: The region.
        credentials: The key, and the session token of a temporary one.
        now: The time of the request, UTC.
    """
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    signed = {**headers, "X-Amz-Date": stamp}
    if credentials.token:
        signed["X-Amz-Security-Token"] = credentials.token
    lines = sorted((name.lower(), text) for name, text in signed.items())
    names = ";".join(name for name, _ in lines)
    canonical = [f"{name}:{text}" for name, text in lines]
    digest = hashlib.sha256(body).hexdigest()
    request = "\n".join(["POST", path, "", *canonical, "", names, digest])
    scope = [stamp[:8], region, service, _TERMINATOR]
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join([_ALGORITHM, stamp, "/".join(scope), digest])
    credential = f"{credentials.key_id}/{'/'.join(scope)}"
    signature = _sign_text(text, scope, credentials)
    signed["Authorization"] = (
        f"{_ALGORITHM} Credential={credential}, SignedHeaders={names},"
        f" Signature={signature}"
    )
    return signed


def _sign_text(text: str, scope: Sequence[str], credentials: AwsCredentials) -> str:
    key = f"AWS4{credentials.key}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()

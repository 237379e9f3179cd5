"""AWS's Signature Version 4 of a POST, as AWS documents it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from kycourier.adapters.aws.account import AwsCredentials

_ALGORITHM, _ENDING = "AWS4-HMAC-SHA256", "aws4_request"


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
    """Give `headers`, of which Host must be one, with those that sign all of them.

    `path` has no query, and nothing in it that would have to be escaped.
    """
    stamp = f"{now:%Y%m%dT%H%M%SZ}"
    signed = {**headers, "X-Amz-Date": stamp}
    if credentials.token:
        signed["X-Amz-Security-Token"] = credentials.token
    lines = sorted((name.lower(), text) for name, text in signed.items())
    names = ";".join(name for name, _ in lines)
    spelled = [f"{name}:{text}" for name, text in lines]
    digest = hashlib.sha256(body).hexdigest()
    request = "\n".join(["POST", path, "", *spelled, "", names, digest])
    scope = [stamp[:8], region, service, _ENDING]
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join([_ALGORITHM, stamp, "/".join(scope), digest])
    key = f"AWS4{credentials.key}".encode()
    for part in (*scope, text):
        key = hmac.digest(key, part.encode(), "sha256")
    whose = f"{credentials.key_id}/{'/'.join(scope)}"
    signed["Authorization"] = (
        f"{_ALGORITHM} Credential={whose}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return signed

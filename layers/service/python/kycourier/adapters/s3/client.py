"""Builds obstore clients of a bucket with a deadline and without retries."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from obstore.store import S3Store

from kycourier.core.timing import S3_CONNECT_SECONDS

if TYPE_CHECKING:  # obstore defines these only in its stubs
    from obstore.store import S3Config, S3Credential

_EXPIRED = datetime.fromtimestamp(0, timezone.utc)


def build_clients(
    bucket: str,
    *,
    prefix: str,
    config: "S3Config",
    credentials: "Callable[[], S3Credential]",
) -> Callable[[int], S3Store]:
    """Returns a function that builds a client from the seconds of each request.

    `credentials` is called before every request.
    """
    return lambda seconds: S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "allow_http": config["endpoint"].startswith("http://"),
            "connect_timeout": timedelta(seconds=S3_CONNECT_SECONDS),
            "timeout": timedelta(seconds=seconds),
        },
        retry_config={"max_retries": 0},
        credential_provider=credentials,
    )


def to_s3_credential(key_id: str, key: str, token: str | None) -> "S3Credential":
    """Builds credentials that obstore uses for one request and does not cache."""
    return {
        "access_key_id": key_id,
        "secret_access_key": key,
        "token": token,
        "expires_at": _EXPIRED,
    }

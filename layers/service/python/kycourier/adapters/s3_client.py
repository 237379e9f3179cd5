"""Clients of a bucket that speaks S3's protocol: bounded in time, and they try once."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from obstore.store import S3Store

if TYPE_CHECKING:  # obstore has these for type checkers alone
    from obstore.store import S3Config, S3Credential

CONNECT_SECONDS = 1
_NEVER_KEPT = datetime.fromtimestamp(0, timezone.utc)


def build_clients(
    bucket: str,
    *,
    prefix: str,
    config: "S3Config",
    credentials: "Callable[[], S3Credential]",
) -> Callable[[int], S3Store]:
    """Give a maker of clients by the seconds that each of their requests may take.

    `credentials` are asked for before every request.
    """
    return lambda seconds: S3Store(
        bucket,
        prefix=prefix or None,
        config=config,
        client_options={
            "allow_http": config["endpoint"].startswith("http://"),
            "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
            "timeout": timedelta(seconds=seconds),
        },
        retry_config={"max_retries": 0},
        credential_provider=credentials,
    )


def spell_credentials(key_id: str, key: str, token: str | None) -> "S3Credential":
    """Give credentials that are used for one request."""
    return {
        "access_key_id": key_id,
        "secret_access_key": key,
        "token": token,
        "expires_at": _NEVER_KEPT,
    }

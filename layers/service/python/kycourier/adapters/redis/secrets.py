"""Reads a secret from a Redis key each time: a ticket that another system refreshes."""

from kycourier.adapters.redis.client import RedisClient
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret, scrub_traceback


class RedisSecret:
    """The secret in one string key: UTF-8, unchanged."""

    def __init__(self, client: RedisClient, key: str) -> None:
        self._client, self._key = client, key

    @scrub_traceback
    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError if it is missing or empty."""
        value = self._client.call("GET", self._key, key=self._key)
        if not isinstance(value, bytes) or not value:
            raise StoreUnavailableError("secret is missing or empty")
        text = _decode(value)
        if text is None:
            raise StoreUnavailableError("secret is not UTF-8")
        return Secret(text)


def _decode(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None

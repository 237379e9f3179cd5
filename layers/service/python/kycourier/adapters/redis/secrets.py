"""Reads a secret from a Redis key each time: a ticket that another system refreshes."""

from kycourier.adapters.redis.client import RedisClient
from kycourier.core.redaction import Secret, scrub_traceback
from kycourier.settings.secret_values import decode_secret


class RedisSecret:
    """The secret in one string key."""

    def __init__(self, client: RedisClient, key: str) -> None:
        self._client, self._key = client, key

    @scrub_traceback
    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError if it is missing or empty."""
        value = self._client.call("GET", self._key, key=self._key)
        return decode_secret(value if isinstance(value, bytes) else b"")

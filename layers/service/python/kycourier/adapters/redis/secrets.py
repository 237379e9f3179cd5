"""A secret in a Redis key, read anew each time: a ticket that somebody else keeps."""

from kycourier.adapters.redis.server import RedisServer
from kycourier.core.errors import StoreUnavailable, forgetful
from kycourier.core.hidden import Secret


class RedisSecret:
    """The value of one key, a string: UTF-8, as it stands."""

    def __init__(self, server: RedisServer, key: str) -> None:
        self._server, self._key = server, key

    @forgetful
    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable when it is missing or empty."""
        value = self._server.call("GET", self._key, key=self._key)
        if not isinstance(value, bytes) or not value:
            raise StoreUnavailable("secret is missing or empty")
        text = _decode(value)
        if text is None:
            raise StoreUnavailable("secret is not UTF-8")
        return Secret(text)


def _decode(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None

"""Opens the adapters of `redis` and `rediss` URLs: the state, and a ticket's key."""

from collections.abc import Callable

from kycourier.adapters.context import AdapterContext
from kycourier.adapters.redis.breaker import RedisBreakerStore
from kycourier.adapters.redis.client import RedisClient
from kycourier.adapters.redis.leases import RedisLeaseStore
from kycourier.adapters.redis.orders import RedisOrderStore
from kycourier.adapters.redis.secrets import RedisSecret
from kycourier.adapters.redis.server_check import check_server
from kycourier.adapters.redis.tickets import RedisTicketStore
from kycourier.adapters.redis.urls import RedisUrl, parse_redis_url
from kycourier.core.redaction import Secret
from kycourier.ports import SecretSource, Stores
from kycourier.settings.resource_url import ResourceUrl

OpenSecret = Callable[[ResourceUrl, AdapterContext], SecretSource]


class RedisFactory:
    """Opens Redis adapters; `open_secret` opens the reference of a password."""

    def __init__(self, open_secret: OpenSecret) -> None:
        self._open_secret = open_secret

    def open_stores(self, url: ResourceUrl, context: AdapterContext) -> Stores:
        """Opens a Redis server for the state, after checking that it is suitable.

        Raises:
            StoreUnavailableError: the URL is wrong, or the server is unsuitable.
            SettingError: the password's reference is wrong.
        """
        client = self.open_client(parse_redis_url(url), context)
        check_server(client)
        return Stores(
            tickets=RedisTicketStore(client),
            leases=RedisLeaseStore(client),
            orders=RedisOrderStore(client),
            breakers=RedisBreakerStore(client),
        )

    def open_secret(self, url: ResourceUrl, context: AdapterContext) -> SecretSource:
        """Opens `redis[s]://…#key`. Raises StoreUnavailableError, SettingError."""
        parsed = parse_redis_url(url)
        return RedisSecret(self.open_client(parsed, context), parsed.key)

    def open_client(self, url: RedisUrl, context: AdapterContext) -> RedisClient:
        """Opens a server without checking it. Raises SettingError."""
        return RedisClient(url, context, load_password=self._password(url, context))

    def _password(
        self, url: RedisUrl, context: AdapterContext
    ) -> Callable[[], Secret] | None:
        """Returns the function that reads the password; None if there is none."""
        password, reference = url.password, url.password_reference
        if password is not None:
            return lambda: password
        if reference is None:
            return None
        return self._open_secret(reference, context).get

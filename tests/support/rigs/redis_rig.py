"""Opens Redis clients and stores, some on a fake clock, and reads keys past them."""

from collections.abc import Callable, Mapping
from functools import cache

import redis

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext, unlimited
from kycourier.adapters.redis.breaker import RedisBreakerStore
from kycourier.adapters.redis.client import RedisClient
from kycourier.adapters.redis.leases import RedisLeaseStore
from kycourier.adapters.redis.orders import RedisOrderStore
from kycourier.adapters.redis.tickets import RedisTicketStore
from kycourier.adapters.redis.urls import parse_redis_url
from kycourier.adapters.stores.timestamps import to_ticks
from kycourier.core.redaction import Secret
from kycourier.ports import Stores
from kycourier.settings.resource_url import ResourceUrl
from support.fakes import FakeClock


class RedisClientOnFakeClock(RedisClient):
    """A client whose scripts read a test's clock instead of the server's time."""

    def __init__(self, url: str, clock: FakeClock) -> None:
        super().__init__(
            parse_redis_url(split_url(url)), redis_context(), load_password=None
        )
        self._clock = clock

    def _with_clock(self, script: str) -> str:
        microseconds = to_ticks(self._clock.now())
        return f"local function now() return {microseconds} end\n{script}"


def split_url(url: str) -> ResourceUrl:
    scheme, _, where = url.partition("://")
    return ResourceUrl(scheme, where)


def redis_context(
    clock: FakeClock | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    seconds_left: Callable[[], float] = unlimited,
) -> AdapterContext:
    """Build a context; its clock only times the pauses between attempts."""
    return AdapterContext(
        clock=clock or FakeClock(), environ=environ or {}, seconds_left=seconds_left
    )


def open_redis_client(
    url: str, *, seconds_left: Callable[[], float] = unlimited
) -> RedisClient:
    """Open a client as production does, on the server's time."""
    address = parse_redis_url(split_url(url))
    password = address.password or Secret("")
    load = (lambda: password) if password.expose() else None
    context = redis_context(seconds_left=seconds_left)
    return RedisClient(address, context, load_password=load)


def open_redis_stores(
    url: str,
    clock: FakeClock | None = None,
    environ: Mapping[str, str] | None = None,
) -> Stores:
    """Open the state as production does, with the checks of the server."""
    return registry.open_stores(split_url(url), redis_context(clock, environ))


@cache
def raw_client(url: str) -> redis.Redis:
    """Return a redis-py client with which a test prepares and reads keys."""
    return redis.Redis.from_url(url)


def flush(url: str) -> str:
    """Remove every key."""
    raw_client(url).flushall()
    return url


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def dump_redis(url: str) -> dict[bytes, object]:
    """Return the content of every key, without the marks of single writes."""
    client, found = raw_client(url), {}
    for key in client.keys():  # noqa: SIM118 - Redis is no mapping
        if client.type(key) == b"hash":
            found[key] = client.hgetall(key)
            found[key].pop(b"writer", None)
        else:
            found[key] = client.zrange(key, 0, -1, withscores=True)
    return found


def stores_over(client: RedisClient) -> Stores:
    return Stores(
        tickets=RedisTicketStore(client),
        leases=RedisLeaseStore(client),
        orders=RedisOrderStore(client),
        breakers=RedisBreakerStore(client),
    )

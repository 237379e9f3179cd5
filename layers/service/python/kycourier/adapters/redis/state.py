"""What a Redis must be to keep the state, asked once when it is opened."""

import re

from kycourier.adapters.redis.server import RedisServer
from kycourier.core.errors import StoreUnavailable

OLDEST = (6, 2)
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")


def check_server(server: RedisServer) -> None:
    """Refuse a Redis that would lose or not take what is written.

    Where it may not be asked about itself, it is taken as it is. Raises
    StoreUnavailable.
    """
    server.now()  # reachable, logged in, and scripts may be run
    told = _ask(server)
    version = _VERSION.match(told.get("redis_version", ""))
    if version and (int(version[1]), int(version[2])) < OLDEST:
        raise StoreUnavailable("is older than Redis 6.2")
    if told.get("role", "master") != "master":
        raise StoreUnavailable("is a replica: name the primary")
    bounded = told.get("maxmemory", "0") != "0"
    if bounded and told.get("maxmemory_policy", "").startswith("allkeys-"):
        raise StoreUnavailable("evicts any key: set maxmemory-policy noeviction")


def _ask(server: RedisServer) -> dict[str, str]:
    """Read what INFO tells; nothing where it is denied."""
    try:
        answer = server.call("INFO", key=None)
    except StoreUnavailable:
        return {}
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else ""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value for name, _, value in pairs}

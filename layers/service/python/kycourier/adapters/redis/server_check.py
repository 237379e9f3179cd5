"""Checks, when the state is opened, that a Redis server can keep it safely."""

import re

from kycourier.adapters.redis.client import RedisClient
from kycourier.core.errors import StoreUnavailableError

MIN_VERSION = (6, 2)
_VERSION = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")


def check_server(client: RedisClient) -> None:
    """Rejects a server that would refuse or lose writes.

    Where INFO is denied, the server is accepted unchecked.

    Raises:
        StoreUnavailableError: the server cannot be used.
    """
    client.now()  # proves that it is reachable and that scripts may run
    info = _read_info(client)
    version = _VERSION.match(info.get("redis_version", ""))
    if version and (int(version[1]), int(version[2])) < MIN_VERSION:
        raise StoreUnavailableError("is older than Redis 6.2")
    if info.get("role", "master") != "master":
        raise StoreUnavailableError("is a replica: name the primary")
    bounded = info.get("maxmemory", "0") != "0"
    if bounded and info.get("maxmemory_policy", "").startswith("allkeys-"):
        raise StoreUnavailableError("evicts any key: set maxmemory-policy noeviction")


def _read_info(client: RedisClient) -> dict[str, str]:
    """Reads INFO; returns nothing where it is denied."""
    try:
        response = client.call("INFO", key=None)
    except StoreUnavailableError:
        return {}
    text = response.decode(errors="replace") if isinstance(response, bytes) else ""
    pairs = (line.partition(":") for line in text.splitlines())
    return {name: value for name, _, value in pairs}

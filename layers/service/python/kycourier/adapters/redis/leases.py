"""Leases in Redis, by its clock; a lease's key keeps its fence for good."""

from datetime import timedelta

from kycourier.adapters.instants import TICK
from kycourier.adapters.redis.keys import lease_key
from kycourier.adapters.redis.server import RedisServer, read_instant
from kycourier.core.models import Lease

# lease; owner, duration
_ACQUIRE = """
local at = now()
local lease = redis.call('HMGET', KEYS[1], 'owner', 'fence', 'ends_at')
local fence, ends_at = tonumber(lease[2] or 0), tonumber(lease[3] or 0)
if lease[1] and ends_at > at then
  if lease[1] ~= ARGV[1] then return false end
  return {fence, at, ends_at}
end
fence, ends_at = fence + 1, at + ARGV[2]
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'fence', fence, 'ends_at', ends_at)
return {fence, at, ends_at}
"""
# lease; fence
_RELEASE = """
if redis.call('HMGET', KEYS[1], 'fence')[1] == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'owner')
end
"""


class RedisLeaseStore:
    """Leases of a Redis server."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Take the lease, or None while another holds it. Raises StoreUnavailable."""
        given = self._server.run(
            _ACQUIRE,
            keys=[lease_key(name)],
            values=[owner, timedelta(seconds=seconds) // TICK],
        )
        if not isinstance(given, list):
            return None
        fence, seen_at, ends_at = given
        return Lease(
            owner=owner,
            fence=fence,
            seen_at=read_instant(seen_at),
            ends_at=read_instant(ends_at),
        )

    def release(self, name: str, *, lease: Lease) -> None:
        """End the lease if it is still this one. Raises StoreUnavailable."""
        self._server.run(_RELEASE, keys=[lease_key(name)], values=[lease.fence])

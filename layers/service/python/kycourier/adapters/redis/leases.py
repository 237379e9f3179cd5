"""Stores leases in Redis, by its clock; a lease's key keeps its fence for ever."""

from datetime import timedelta

from kycourier.adapters.redis.client import RedisClient, to_utc
from kycourier.adapters.redis.keys import lease_key
from kycourier.adapters.stores.timestamps import TICK
from kycourier.core.leases import Lease

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
    """Leases in Redis."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Takes the lease; returns None while another owner holds it.

        Raises:
            StoreUnavailableError: Redis failed.
        """
        acquired = self._client.run(
            _ACQUIRE,
            keys=[lease_key(name)],
            values=[owner, timedelta(seconds=seconds) // TICK],
        )
        if not isinstance(acquired, list):
            return None
        fence, seen_at, ends_at = acquired
        return Lease(
            owner=owner,
            fence=fence,
            seen_at=to_utc(seen_at),
            ends_at=to_utc(ends_at),
        )

    def release(self, name: str, *, lease: Lease) -> None:
        """Ends the lease if it is still this one. Raises StoreUnavailableError."""
        self._client.run(_RELEASE, keys=[lease_key(name)], values=[lease.fence])

"""Stores the app's circuit breaker in Redis, with compare-and-set on its version."""

from kycourier.adapters.redis.client import MAX_RACES, RedisClient
from kycourier.adapters.redis.keys import app_key
from kycourier.core.circuit_breaker import BreakerRecord, decode_breaker, encode_breaker
from kycourier.core.errors import StaleOwnerError, StoreUnavailableError

# breaker; expected version, writer, version, record
_WRITE = """
local breaker = redis.call('HMGET', KEYS[1], 'version', 'writer')
if breaker[2] == ARGV[2] then return 1 end
if (breaker[1] or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1],
  'version', ARGV[3], 'writer', ARGV[2], 'record', ARGV[4])
return 1
"""


class RedisBreakerStore:
    """Circuit breakers in Redis."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    def get(self, app_id: str) -> BreakerRecord:
        """Reads the breaker; a closed one if there is none.

        Raises:
            StoreUnavailableError: Redis failed.
            NewerSchemaError: a newer release wrote it.
        """
        record = self._client.read_field(_key(app_id), "record")
        return BreakerRecord() if record is None else decode_breaker(record)

    def open(
        self, app_id: str, breaker: BreakerRecord, *, expected_version: int
    ) -> None:
        """Writes the breaker over the expected version.

        Raises:
            StaleOwnerError: another version is stored.
            StoreUnavailableError: Redis failed.
        """
        if not self._write(app_id, breaker, expected_version=expected_version):
            raise StaleOwnerError("breaker")

    def close(self, app_id: str) -> None:
        """Closes the breaker, whoever opened it. Raises StoreUnavailableError."""
        for _ in range(MAX_RACES):
            version = int(self._client.read_field(_key(app_id), "version") or 0)
            closed = BreakerRecord(version=version + 1)
            if self._write(app_id, closed, expected_version=version):
                return
        raise StoreUnavailableError("contended")

    def _write(
        self, app_id: str, breaker: BreakerRecord, *, expected_version: int
    ) -> bool:
        written = self._client.run(
            _WRITE,
            keys=[_key(app_id)],
            values=[
                expected_version,
                self._client.draw_writer(),
                breaker.version,
                encode_breaker(breaker),
            ],
        )
        return written == 1


def _key(app_id: str) -> str:
    return app_key(app_id, "breaker")

"""The app's pause in Redis: written over the version it was read at, or not."""

from kycourier.adapters.redis.keys import app_key
from kycourier.adapters.redis.server import MOST_RACES, RedisServer
from kycourier.core.brake import Brake, decode_brake, encode_brake
from kycourier.core.errors import StaleOwner, StoreUnavailable

# brake; expected version, writer, version, record
_WRITE = """
local brake = redis.call('HMGET', KEYS[1], 'version', 'writer')
if brake[2] == ARGV[2] then return 1 end
if (brake[1] or '0') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1],
  'version', ARGV[3], 'writer', ARGV[2], 'record', ARGV[4])
return 1
"""


class RedisBrakeStore:
    """Brakes of a Redis server."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    def load(self, app_id: str) -> Brake:
        """Read the brake, or a clean one. Raises StoreUnavailable, NewerSchema."""
        record = self._server.read_field(_key(app_id), "record")
        return Brake() if record is None else decode_brake(record)

    def trip(self, app_id: str, brake: Brake, *, expected_version: int) -> None:
        """Write the brake over the expected version. Raises StaleOwner."""
        if not self._write(app_id, brake, expected_version=expected_version):
            raise StaleOwner("brake")

    def release(self, app_id: str) -> None:
        """End the pause, whoever began it. Raises StoreUnavailable."""
        for _ in range(MOST_RACES):
            version = int(self._server.read_field(_key(app_id), "version") or 0)
            released = Brake(version=version + 1)
            if self._write(app_id, released, expected_version=version):
                return
        raise StoreUnavailable("contended")

    def _write(self, app_id: str, brake: Brake, *, expected_version: int) -> bool:
        written = self._server.run(
            _WRITE,
            keys=[_key(app_id)],
            values=[
                expected_version,
                self._server.draw_writer(),
                brake.version,
                encode_brake(brake),
            ],
        )
        return written == 1


def _key(app_id: str) -> str:
    return app_key(app_id, "brake")

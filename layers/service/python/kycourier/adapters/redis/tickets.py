"""The ticket pair in Redis, in the slot of the lease that guards it."""

from kycourier.adapters.redis.keys import app_key, lease_key
from kycourier.adapters.redis.server import RedisServer
from kycourier.core.errors import StaleOwner, forgetful
from kycourier.core.models import Lease
from kycourier.core.ticket import TicketPair, decode_pair, encode_pair, refresh_lease

# pair, refresh lease; expected generation, lease's fence, writer, generation, record
_SAVE = """
local pair = redis.call('HMGET', KEYS[1], 'generation', 'writer')
if pair[2] == ARGV[3] then return 'saved' end
if (pair[1] or '0') ~= ARGV[1] then return 'ticket generation' end
local fence = redis.call('HMGET', KEYS[2], 'fence')[1]
if fence ~= ARGV[2] then return 'refresh lease' end
redis.call('HSET', KEYS[1],
  'generation', ARGV[4], 'writer', ARGV[3], 'record', ARGV[5])
return 'saved'
"""


class RedisTicketStore:
    """Tickets of a Redis server; the leases must lie in the same."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server

    @forgetful
    def load(self, app_id: str) -> TicketPair | None:
        """Read the pair, strongly. Raises StoreUnavailable, NewerSchema."""
        record = self._server.read_field(_key(app_id), "record")
        return None if record is None else decode_pair(record)

    @forgetful
    def save(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        """Write the pair over the expected generation while no later lease was given.

        Raises StaleOwner, StoreUnavailable.
        """
        writer = self._server.draw_writer()
        done = self._server.run(
            _SAVE,
            keys=[_key(app_id), lease_key(refresh_lease(app_id))],
            values=[
                expected_generation,
                lease.fence,
                writer,
                pair.generation,
                encode_pair(pair),
            ],
        )
        if done == b"ticket generation":
            raise StaleOwner("ticket generation")
        if done != b"saved":
            raise StaleOwner("refresh lease")


def _key(app_id: str) -> str:
    return app_key(app_id, "ticket")

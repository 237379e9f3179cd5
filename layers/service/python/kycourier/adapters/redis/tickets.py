"""Stores the ticket pair in Redis, in the cluster slot of its refresh lease."""

from kycourier.adapters.redis.client import RedisClient
from kycourier.adapters.redis.keys import app_key, lease_key
from kycourier.core.errors import StaleOwnerError
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.redaction import scrub_traceback
from kycourier.core.tickets.pair import TicketPair, decode_pair, encode_pair

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
    """Tickets in Redis; the leases must be on the same server."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client

    @scrub_traceback
    def get(self, app_id: str) -> TicketPair | None:
        """Reads the pair. Raises StoreUnavailableError, NewerSchemaError."""
        record = self._client.read_field(_key(app_id), "record")
        return None if record is None else decode_pair(record)

    @scrub_traceback
    def put(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        """Writes the pair over the expected generation if `lease` is the latest.

        Raises:
            StaleOwnerError: the generation or the lease's fence has moved on.
            StoreUnavailableError: Redis failed.
        """
        writer = self._client.draw_writer()
        outcome = self._client.run(
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
        if outcome == b"ticket generation":
            raise StaleOwnerError("ticket generation")
        if outcome != b"saved":
            raise StaleOwnerError("refresh lease")


def _key(app_id: str) -> str:
    return app_key(app_id, "ticket")

"""Stores the ticket pair in DynamoDB, in the item of its refresh lease.

One condition then covers both, so that no transaction is needed.
"""

from kycourier.adapters.aws.dynamodb.table import Table
from kycourier.adapters.aws.leases import lease_key
from kycourier.core.errors import StaleOwnerError
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.redaction import scrub_traceback
from kycourier.core.tickets.pair import TicketPair, decode_pair, encode_pair


class DynamoTicketStore:
    """Tickets in a table; the leases must be in the same one."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @scrub_traceback
    def get(self, app_id: str) -> TicketPair | None:
        """Reads the pair. Raises StoreUnavailableError, NewerSchemaError."""
        stored = self._table.get(_key(app_id))
        pair = stored.content("pair") if stored else None
        return None if pair is None else decode_pair(pair)

    @scrub_traceback
    def put(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        """Writes the pair over the expected generation if `lease` is the latest.

        Raises:
            StaleOwnerError: the generation or the lease's fence has moved on.
            StoreUnavailableError: DynamoDB failed.
        """
        saved = self._table.write(
            _key(app_id),
            {"generation": pair.generation, "pair": encode_pair(pair)},
            expected={
                "generation": expected_generation or None,
                "fence": lease.fence,
            },
        )
        if not saved:
            raise StaleOwnerError("ticket generation or refresh lease")


def _key(app_id: str) -> str:
    return lease_key(refresh_lease(app_id))

"""The ticket pair in DynamoDB, in the item of the lease that guards it.

So one condition sees both, and no transaction is needed.
"""

from kycourier.adapters.aws.leases import lease_key
from kycourier.adapters.aws.table import Table
from kycourier.core.errors import StaleOwner, forgetful
from kycourier.core.models import Lease
from kycourier.core.ticket import TicketPair, decode_pair, encode_pair, refresh_lease


class DynamoTicketStore:
    """Tickets of a table; the leases must lie in the same one."""

    def __init__(self, table: Table) -> None:
        self._table = table

    @forgetful
    def load(self, app_id: str) -> TicketPair | None:
        """Read the pair, strongly. Raises StoreUnavailable, NewerSchema."""
        there = self._table.load(_key(app_id))
        pair = there.content("pair") if there else None
        return None if pair is None else decode_pair(pair)

    @forgetful
    def save(
        self, app_id: str, pair: TicketPair, *, expected_generation: int, lease: Lease
    ) -> None:
        """Write the pair over the expected generation while no later lease was given.

        Raises StaleOwner, StoreUnavailable.
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
            raise StaleOwner("ticket generation or refresh lease")


def _key(app_id: str) -> str:
    return lease_key(refresh_lease(app_id))

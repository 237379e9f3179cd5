"""Stores leases in DynamoDB, by its clock; a lease's item keeps its fence for ever.

Others may take a lease only DYNAMODB_CLOCK_MARGIN after its end, because their estimate
of the store's clock may be ahead of the holder's.
"""

from datetime import timedelta

from kycourier.adapters.aws.dynamodb.items import Item
from kycourier.adapters.aws.dynamodb.table import Table
from kycourier.adapters.stores.timestamps import to_instant, to_ticks
from kycourier.core.leases import Lease
from kycourier.core.timing import DYNAMODB_CLOCK_MARGIN


def lease_key(name: str) -> str:
    """Returns the key of a lease's item."""
    return f"lease/{name}"


class DynamoLeaseStore:
    """Leases in a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Takes the lease; returns None while another owner holds it.

        A lease of zero seconds excludes nobody and is not written, so that many workers
        can check a lease without conflicts.

        Raises:
            StoreUnavailableError: DynamoDB failed.
        """
        stored = self._table.get(lease_key(name)) or Item({})
        now, last = self._table.now(), stored.number("fence")
        holder = stored.text("owner")
        ends_at = to_instant(stored.number("ends_at") or 0)
        if holder == owner and now < ends_at:
            return Lease(owner=owner, fence=last or 0, seen_at=now, ends_at=ends_at)
        free_at = to_instant(stored.number("free_at") or 0)
        if holder not in {None, owner} and now < free_at:
            return None
        ends_at = now + timedelta(seconds=seconds)
        lease = Lease(owner=owner, fence=(last or 0) + 1, seen_at=now, ends_at=ends_at)
        if not seconds:
            return lease
        taken = self._table.write(
            lease_key(name),
            {
                "owner": owner,
                "fence": lease.fence,
                "ends_at": to_ticks(ends_at),
                "free_at": to_ticks(ends_at + DYNAMODB_CLOCK_MARGIN),
            },
            expected={"fence": last},
        )
        return lease if taken else None

    def release(self, name: str, *, lease: Lease) -> None:
        """Ends the lease if it is still this one. Raises StoreUnavailableError."""
        self._table.write(
            lease_key(name), {"owner": None}, expected={"fence": lease.fence}
        )

"""Leases in DynamoDB, by the store's clock; a lease's item keeps its fence for good.

Others may take a lease MARGIN after its end, since their estimate of the store's clock
may be ahead of the holder's.
"""

from datetime import timedelta

from kycourier.adapters.aws.items import Item
from kycourier.adapters.aws.store_clock import MARGIN
from kycourier.adapters.aws.table import Table
from kycourier.adapters.instants import to_instant, to_ticks
from kycourier.core.models import Lease


def lease_key(name: str) -> str:
    """Give the key of a lease's item."""
    return f"lease/{name}"


class DynamoLeaseStore:
    """Leases of a table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def acquire(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Take the lease, or None while another holds it. Raises StoreUnavailable.

        One of no seconds is over at once and keeps nobody out: it is not written, so
        that many may look at a lease without being in one another's way.
        """
        there = self._table.load(lease_key(name)) or Item({})
        now, last = self._table.now(), there.number("fence")
        holder = there.text("owner")
        ends_at = to_instant(there.number("ends_at") or 0)
        if holder == owner and now < ends_at:
            return Lease(owner=owner, fence=last or 0, seen_at=now, ends_at=ends_at)
        free_at = to_instant(there.number("free_at") or 0)
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
                "free_at": to_ticks(ends_at + MARGIN),
            },
            expected={"fence": last},
        )
        return lease if taken else None

    def release(self, name: str, *, lease: Lease) -> None:
        """End the lease if it is still this one. Raises StoreUnavailable."""
        self._table.write(
            lease_key(name), {"owner": None}, expected={"fence": lease.fence}
        )

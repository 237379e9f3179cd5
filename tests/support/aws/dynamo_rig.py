"""The four DynamoDB stores, wired through a scripted proxy."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kycourier.adapters.aws.breaker import DynamoBreakerStore
from kycourier.adapters.aws.leases import DynamoLeaseStore
from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier.adapters.aws.tickets import DynamoTicketStore
from kycourier.core.leases import Lease, refresh_lease
from kycourier.core.orders.record import OrderRecord
from kycourier.ports import Stores
from support.aws.aws_proxy import AwsProxy
from support.aws.dynamo_table import items_of, make_table, open_table
from support.fakes import FakeClock
from support.sample_records import APP, claim


class DynamoRig(NamedTuple):
    """The stores of the emulator at `url`, their proxy and clock.

    `items` reads the table past the proxy.
    """

    url: str
    proxy: AwsProxy
    stores: Stores
    clock: FakeClock
    items: Callable[[], Mapping[str, Mapping[str, Any]]]

    def claim(self) -> OrderRecord:
        claimed = claim(self.stores.orders)
        assert claimed.granted
        return claimed.record

    def lease(self, owner: str) -> Lease:
        lease = self.stores.leases.acquire(refresh_lease(APP), owner=owner, seconds=15)
        assert lease is not None
        return lease


def open_dynamo_rig(proxy: AwsProxy, url: str) -> DynamoRig:
    clock, name = FakeClock(), make_table(url)
    table = open_table(proxy.url, name, clock)
    stores = Stores(
        tickets=DynamoTicketStore(table),
        leases=DynamoLeaseStore(table),
        orders=DynamoOrderStore(table),
        breakers=DynamoBreakerStore(table),
    )
    return DynamoRig(url, proxy, stores, clock, lambda: items_of(url, name))

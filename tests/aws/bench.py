"""The four stores on DynamoDB behind a proxy."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from aws.proxy import AwsProxy
from aws.table import items_of, make_table, open_held
from fakes import FakeClock
from kycourier.adapters.aws.brake import DynamoBrakeStore
from kycourier.adapters.aws.leases import DynamoLeaseStore
from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier.adapters.aws.tickets import DynamoTicketStore
from kycourier.core.order_record import OrderRecord
from kycourier.ports import State
from records import claim


class Bench(NamedTuple):
    """The four stores behind a proxy, with their clock and a look past the proxy."""

    proxy: AwsProxy
    stores: State
    clock: FakeClock
    items: Callable[[], Mapping[str, Mapping[str, Any]]]

    def claim(self) -> OrderRecord:
        claimed = claim(self.stores.orders)
        assert claimed.granted
        return claimed.record


def build(proxy: AwsProxy, url: str) -> Bench:
    clock, name = FakeClock(), make_table(url)
    table = open_held(proxy.url, name, clock)
    stores = State(
        tickets=DynamoTicketStore(table),
        leases=DynamoLeaseStore(table),
        orders=DynamoOrderStore(table),
        brakes=DynamoBrakeStore(table),
    )
    return Bench(proxy, stores, clock, lambda: items_of(url, name))

"""The four stores on DynamoDB behind a gate."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from aws_gate import Gate
from aws_table import items_of, make_table, open_held
from fakes import START, FakeClock
from kycourier.adapters.aws.brake import DynamoBrakeStore
from kycourier.adapters.aws.leases import DynamoLeaseStore
from kycourier.adapters.aws.orders import DynamoOrderStore
from kycourier.adapters.aws.tickets import DynamoTicketStore
from kycourier.core import order as rules
from kycourier.core.hidden import Secret
from kycourier.core.models import Document, OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import OrderRecord, OutboxEvent, State
from kycourier.core.ticket import TicketPair
from kycourier.ports import State as Stores

APP = "SANDBOX1"
LEASE = timedelta(seconds=60)
EVENT = OutboxEvent(id="e1", type="kycourier.ocr.collected.v1", body='{"id":"e1"}')
PAIR = TicketPair(
    generation=1,
    obtained_at=START,
    expires_in=timedelta(hours=1),
    token=Secret("token"),
    ticket=Secret("ticket"),
)


class Bench(NamedTuple):
    """The four stores behind a gate, with their clock and a look past the gate."""

    gate: Gate
    stores: Stores
    clock: FakeClock
    items: Callable[[], Mapping[str, Mapping[str, Any]]]

    def draft(self, order_no: str = "order1") -> OrderRecord:
        return rules.draft(
            OrderKey(APP, order_no),
            document=Document.BANK_CARD,
            now=START,
            ttl=timedelta(hours=48),
            first_sweep=timedelta(0),
        )

    def claim(self, owner: str = "one") -> OrderRecord:
        claim = self.stores.orders.claim(
            self.draft(), owner=owner, lease=LEASE, urgency=Urgency.NOW, folder="f"
        )
        assert claim.granted
        return claim.record


def build(gate: Gate, url: str) -> Bench:
    clock, name = FakeClock(), make_table(url)
    table = open_held(gate.url, name, clock)
    stores = Stores(
        tickets=DynamoTicketStore(table),
        leases=DynamoLeaseStore(table),
        orders=DynamoOrderStore(table),
        brakes=DynamoBrakeStore(table),
    )
    return Bench(gate, stores, clock, lambda: items_of(url, name))


def settled(record: OrderRecord) -> OrderRecord:
    return rules.settle(
        record, state=State.COLLECTED, reason=None, event=EVENT, now=START
    )

"""The state, the evidence and the sink that all machines of a run share, in memory."""

from fakes import (
    MemoryBrakeStore,
    MemoryEventSink,
    MemoryEvidenceStore,
    MemoryLeaseStore,
    MemoryOrderStore,
    MemoryTicketStore,
)
from kycourier.core.models import OrderKey
from kycourier.core.order_record import OrderRecord, decode_record
from simulation.clockwork import StoreClock
from worlds import APP


class Stores:
    """By the store's clock, and of one app."""

    def __init__(self, clock: StoreClock) -> None:
        self.clock = clock
        self.leases = MemoryLeaseStore(clock)
        self.tickets = MemoryTicketStore(self.leases)
        self.orders = MemoryOrderStore(clock)
        self.brakes = MemoryBrakeStore()
        self.evidence = MemoryEvidenceStore(clock)
        self.sink = MemoryEventSink()

    def row(self, order_no: str) -> OrderRecord | None:
        return self.orders.load(OrderKey(APP, order_no))

    def rows(self) -> list[OrderRecord]:
        return [decode_record(row.record) for row in self.orders.rows.values()]

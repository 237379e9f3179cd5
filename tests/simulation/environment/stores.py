"""The stores and the event sink that all machines of a run share, in memory."""

from kycourier.core.orders.record import OrderKey, OrderRecord, decode_record
from simulation.environment.machine import StoreClock
from support.fakes import (
    MemoryBreakerStore,
    MemoryEventSink,
    MemoryEvidenceStore,
    MemoryLeaseStore,
    MemoryOrderStore,
    MemoryTicketStore,
)
from support.rigs.in_memory import APP


class Stores:
    """The stores of one app; their leases end by the store's clock."""

    def __init__(self, clock: StoreClock) -> None:
        self.clock = clock
        self.leases = MemoryLeaseStore(clock)
        self.tickets = MemoryTicketStore(self.leases)
        self.orders = MemoryOrderStore(clock)
        self.breakers = MemoryBreakerStore()
        self.evidence = MemoryEvidenceStore(clock)
        self.sink = MemoryEventSink()

    def call_names(self) -> set[str]:
        """Return the port calls of all stores, such as `tickets.get`."""
        return {
            f"{port}.{verb}"
            for port, store in vars(self).items()
            for verb in dir(store)
            if not verb.startswith("_")
        }

    def row(self, order_no: str) -> OrderRecord | None:
        return self.orders.get(OrderKey(APP, order_no))

    def rows(self) -> list[OrderRecord]:
        return [decode_record(row.record) for row in self.orders.rows.values()]

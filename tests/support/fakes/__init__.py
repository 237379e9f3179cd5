"""In-memory implementations of the ports; each passes its port's contract suite."""

from support.fakes.outputs import (
    Delivery,
    MemoryEventSink,
    MemoryEvidenceStore,
    MemoryWorkQueue,
)
from support.fakes.runtime import (
    START,
    FakeClock,
    FakeRandom,
    MemoryEventLog,
    ScriptedTransport,
)
from support.fakes.stores import (
    MemoryBreakerStore,
    MemoryLeaseStore,
    MemoryOrderStore,
    MemoryTicketStore,
    Row,
)

__all__ = [
    "START",
    "Delivery",
    "FakeClock",
    "FakeRandom",
    "MemoryBreakerStore",
    "MemoryEventLog",
    "MemoryEventSink",
    "MemoryEvidenceStore",
    "MemoryLeaseStore",
    "MemoryOrderStore",
    "MemoryTicketStore",
    "MemoryWorkQueue",
    "Row",
    "ScriptedTransport",
]

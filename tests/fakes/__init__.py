"""The ports in memory: deterministic, small, held to the same contract suites."""

from fakes.edges import (
    Delivery,
    MemoryEventSink,
    MemoryEvidenceStore,
    MemoryWorkQueue,
)
from fakes.state import (
    MemoryBrakeStore,
    MemoryLeaseStore,
    MemoryOrderStore,
    MemoryTicketStore,
    Row,
)
from fakes.worker import (
    START,
    FakeClock,
    FakeNonces,
    MemoryJournal,
    ScriptedTransport,
)

__all__ = [
    "START",
    "Delivery",
    "FakeClock",
    "FakeNonces",
    "MemoryBrakeStore",
    "MemoryEventSink",
    "MemoryEvidenceStore",
    "MemoryJournal",
    "MemoryLeaseStore",
    "MemoryOrderStore",
    "MemoryTicketStore",
    "MemoryWorkQueue",
    "Row",
    "ScriptedTransport",
]

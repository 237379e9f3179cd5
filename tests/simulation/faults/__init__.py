"""The named faults: how each is injected, and what must hold under it alone."""

from simulation.faults import (
    delivery,
    processes,
    result_codes,
    results,
    storage,
    ticket_refresh,
    ticket_validity,
    transport,
    webhook,
)
from simulation.faults.registry import FAULTS, Fault

__all__ = [
    "FAULTS", "Fault", "delivery", "processes", "result_codes", "results", "storage",
    "ticket_refresh", "ticket_validity", "transport", "webhook",
]  # fmt: skip

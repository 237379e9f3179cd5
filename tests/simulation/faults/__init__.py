"""The sixty named faults: how each is brought about, and what its own row demands."""

from simulation.faults import edges, meaning, processes, ticket, transport, work
from simulation.faults.fault import FAULTS, Fault

__all__ = [
    "FAULTS", "Fault", "edges", "meaning", "processes", "ticket", "transport", "work",
]  # fmt: skip

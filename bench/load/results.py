"""What a load run came to, as it is kept in load.json and shown in docs/scale.md."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.load.watch import Weight

FILE = Path(__file__).parents[1] / "load.json"
MOST_GROWTH = 1.15  # of a worker's memory between a tenth of the orders and all
_LONG = 10_000  # orders: in a shorter run the workers are still warming up


class Latency(Struct, frozen=True, kw_only=True):
    """Milliseconds from the call that was accepted to the event, of `orders` orders."""

    orders: int
    p50: float
    p95: float
    p99: float
    most: float


class LoadRun(Struct, frozen=True, kw_only=True):
    """One run, and what was found."""

    date: str
    machine: str
    load_at_start: float
    workers: int
    window: int
    photo_bytes: int
    seconds: float
    latencies: Mapping[str, Latency]
    weights: Sequence[Weight]
    cpu_seconds: Mapping[str, float]
    log_bytes: int
    facts: Mapping[str, int]
    states: Mapping[str, int]
    events: int
    repeated_lines: int
    asked_again: int
    photos: int
    problems: Sequence[str]

    @property
    def orders(self) -> int:
        """How many orders were accepted."""
        return sum(each.orders for each in self.latencies.values())

    @property
    def growth(self) -> float:
        """How much larger a worker was at the end than at a tenth, when fewer ran."""
        first, *_, last = (statistics.mean(each.workers) for each in self.weights)
        return last / first

    @property
    def is_flat(self) -> bool:
        """Tell whether the workers' memory stayed; a short run does not show it."""
        return self.orders < _LONG or self.growth <= MOST_GROWTH

    @property
    def holds(self) -> bool:
        """Tell whether nothing was lost and memory stayed flat."""
        return not self.problems and self.is_flat


def measure_latency(seconds: Iterable[float]) -> Latency:
    """Give the percentiles of some latencies; there are two or more."""
    found = sorted(each * 1000 for each in seconds)
    at = statistics.quantiles(found, n=100, method="inclusive")
    return Latency(
        orders=len(found),
        p50=round(at[49], 1),
        p95=round(at[94], 1),
        p99=round(at[98], 1),
        most=round(found[-1], 1),
    )


def write_run(run: LoadRun, file: Path = FILE) -> None:
    """Keep a run."""
    text = msgspec.json.format(msgspec.json.encode(run), indent=1)
    file.write_bytes(text + b"\n")


def read_run(file: Path = FILE) -> LoadRun:
    """Read the run that is kept."""
    return msgspec.json.decode(file.read_bytes(), type=LoadRun)

"""The results of a load run, as stored in load.json and shown in docs/scale.md."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.load.event_monitor import MemorySample
from bench.report.json_files import write_json

FILE = Path(__file__).parents[1] / "load.json"
MAX_GROWTH = 1.15  # of a worker's memory from a tenth of the orders to all
_LONG_RUN = 10_000  # orders; in a shorter run the workers are still warming up


class Latency(Struct, frozen=True, kw_only=True):
    """Milliseconds from the accepted call to the event, of `orders` orders."""

    orders: int
    p50: float
    p95: float
    p99: float
    max: float


class LoadRun(Struct, frozen=True, kw_only=True):
    """One run."""

    date: str
    machine: str
    load_at_start: float
    workers: int
    window: int
    photo_bytes: int
    seconds: float
    latencies: Mapping[str, Latency]
    memory: Sequence[MemorySample]
    cpu_seconds: Mapping[str, float]
    log_bytes: int
    log_events: Mapping[str, int]
    states: Mapping[str, int]
    events: int
    repeated_lines: int
    retried_calls: int
    photos: int
    problems: Sequence[str]

    @property
    def orders(self) -> int:
        """The number of accepted orders."""
        return sum(each.orders for each in self.latencies.values())

    @property
    def growth(self) -> float:
        """The mean memory of a worker at the end over that at a tenth of the orders."""
        first, *_, last = (statistics.mean(each.workers) for each in self.memory)
        return last / first

    @property
    def is_flat(self) -> bool:
        """Whether the workers' memory did not grow; always true of a short run."""
        return self.orders < _LONG_RUN or self.growth <= MAX_GROWTH

    @property
    def is_ok(self) -> bool:
        """Whether nothing was lost and memory did not grow."""
        return not self.problems and self.is_flat


def measure_latency(seconds: Iterable[float]) -> Latency:
    """Returns the percentiles of two or more latencies in seconds."""
    found = sorted(each * 1000 for each in seconds)
    at = statistics.quantiles(found, n=100, method="inclusive")
    return Latency(
        orders=len(found),
        p50=round(at[49], 1),
        p95=round(at[94], 1),
        p99=round(at[98], 1),
        max=round(found[-1], 1),
    )


def write_run(run: LoadRun, file: Path = FILE) -> None:
    """Stores a run."""
    write_json(file, run)


def read_run(file: Path = FILE) -> LoadRun:
    """Reads the stored run."""
    return msgspec.json.decode(file.read_bytes(), type=LoadRun)

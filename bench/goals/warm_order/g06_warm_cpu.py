"""G6: CPU of a warm order beside the naive peer's, in seconds and in instructions."""

from bench.environment.bench_environment import BenchEnvironment
from bench.errors import BenchError
from bench.goals.goal import Goal, Measured
from bench.goals.warm_order.interleaved_orders import (
    SIZES,
    compare_sizes,
    cpu_seconds,
    start_contender,
)
from bench.measure.figures import Figure, compare
from bench.measure.instructions import LIMIT_SECONDS, NOT_COUNTED, count_instructions

MAX_RATIOS = {"3×200 KB": 0.45, "3×500 KB": 0.35, "3×1.5 MB": 0.30}
CALLS = 4


def measure(environment: BenchEnvironment) -> Measured:
    """Takes the CPU of the orders of G5, and counts instructions in addition."""
    figures = compare_sizes(environment, cpu_seconds, goals=MAX_RATIOS)
    if environment.is_smoke:
        return figures, ["A short run counts instructions for G8 only."]
    try:
        counts = [_count(environment, label, size) for label, size in SIZES.items()]
    except BenchError as error:
        return figures, [f"{NOT_COUNTED}: {error}."]
    return [*figures, *counts], []


def _count(environment: BenchEnvironment, label: str, size: int) -> Figure:
    environment.set_latency(0)
    counts = {
        name: count_instructions(
            lambda wrapper: start_contender(environment, name, wrapper),  # noqa: B023 - called at once
            lambda worker: worker.collect(size, limit=LIMIT_SECONDS),
            calls=CALLS,
        )
        for name in ("ours", "naive")
    }
    return compare(
        f"{label}, instructions (millions)",
        [counts["ours"]],
        [counts["naive"]],
        scale=1e-6,
    )


GOAL = Goal("G6", "warm CPU ÷ naive", measure)

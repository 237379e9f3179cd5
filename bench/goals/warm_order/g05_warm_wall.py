"""G5: wall time of a warm order beside the naive peer's."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.goals.warm_order.interleaved_orders import compare_sizes, wall_seconds

MAX_RATIOS = {"3×200 KB": 0.72, "3×500 KB": 0.62, "3×1.5 MB": 0.55}


def measure(environment: BenchEnvironment) -> Measured:
    """Collects orders in turn at three sizes, with the platform's usual latency."""
    return compare_sizes(environment, wall_seconds, goals=MAX_RATIOS), []


GOAL = Goal("G5", "warm wall ÷ naive", measure)

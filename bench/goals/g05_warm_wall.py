"""G5: wall time of a warm order beside the naive peer's."""

from bench.goal import Goal, Measured
from bench.stage import Stage
from bench.warm import compare_sizes, walls

MOST = {"3×200 KB": 0.72, "3×500 KB": 0.62, "3×1.5 MB": 0.55}


def measure(stage: Stage) -> Measured:
    """Collect orders in turn, at three sizes, the platform answering after 50 ms."""
    return compare_sizes(stage, walls, goals=MOST), []


GOAL = Goal("G5", "warm wall ÷ naive", measure)

"""G5: wall time of a warm order beside the naive peer's."""

from bench.figures import compare
from bench.goal import Goal, Measured
from bench.stage import Stage
from bench.warm import SIZES, measure_warm, walls

MOST = {"3×200 KB": 0.72, "3×500 KB": 0.62, "3×1.5 MB": 0.55}
TURNS = 60


def measure(stage: Stage) -> Measured:
    """Collect orders in turn, at three sizes, the platform answering after 50 ms."""
    figures = []
    for label, size in SIZES.items():
        found = {
            name: walls(samples)
            for name, samples in measure_warm(stage, size, turns=TURNS).items()
        }
        figures.append(compare(label, found["ours"], found["naive"], goal=MOST[label]))
        names = ("floor", "naive")
        figures.append(
            compare(f"{label}, the floor", found["floor"], found["naive"], names=names)
        )
    return figures, []


GOAL = Goal("G5", "warm wall ÷ naive", measure)

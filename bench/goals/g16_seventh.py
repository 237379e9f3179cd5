"""G16: an order at a seventh of a core, which 256 MB of Lambda's memory bring."""

from bench.figures import compare
from bench.goal import Goal, Measured
from bench.quota import hold_back, name_means
from bench.stage import Stage
from bench.warm import measure_turns, walls

MOST = 0.40
TURNS = 60
SIZE = 500_000


def measure(stage: Stage) -> Measured:
    """Collect orders in turn, each process held to its share."""
    who = ("ours", "naive")
    found = measure_turns(stage, SIZE, turns=TURNS, who=who, slow=hold_back)
    figure = compare("3×500 KB", walls(found["ours"]), walls(found["naive"]), goal=MOST)
    return [figure], [f"Each process is held back by {name_means()}."]


GOAL = Goal("G16", "wall at a seventh of a core ÷ naive", measure)

"""G9: a batch of ten beside one order, when the platform takes its time."""

from bench.figures import compare
from bench.goal import Goal, Measured
from bench.stage import Stage

MOST = 1.3
TURNS = 40
SIZE, ORDERS = 200_000, 10
LATENCY = 0.3


def measure(stage: Stage) -> Measured:
    """Collect one order, then ten in a batch, in turn."""
    stage.be_slow(LATENCY)
    ones, tens = [], []
    with stage.ours() as worker:
        for count in (1, ORDERS, ORDERS):
            worker.collect(SIZE, orders=count)
        for _ in stage.steps(TURNS):
            ones.append(worker.collect(SIZE).wall)
            tens.append(worker.collect(SIZE, orders=ORDERS).wall)
    figure = compare("3×200 KB, 300 ms", tens, ones, goal=MOST, names=("ten", "one"))
    return [figure], []


GOAL = Goal("G9", "batch of ten ÷ one order", measure)

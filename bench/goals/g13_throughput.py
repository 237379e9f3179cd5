"""G13: orders a second on the local adapters, beside the bare loop without state."""

from bench.figures import compare
from bench.goal import Goal, Measured
from bench.stage import Stage

LEAST = 0.6
TURNS = 30
SIZE, ORDERS = 200_000, 10


def measure(stage: Stage) -> Measured:
    """Collect batches of ten in turn; the upstream has a process of its own."""
    stage.be_slow(0)
    runtime = stage.local_runtime
    mine, theirs = [], []
    with stage.local() as ours, stage.peer("floor/loop.py", runtime=runtime) as loop:
        for worker in (ours, loop):
            worker.collect(SIZE, orders=ORDERS)
        for _ in stage.steps(TURNS):
            mine.append(ours.collect(SIZE, orders=ORDERS).wall)
            theirs.append(loop.collect(SIZE, orders=ORDERS).wall)
    rates = [[ORDERS / each for each in walls] for walls in (mine, theirs)]
    figure = compare(
        "3×200 KB (orders/s)",
        *rates,
        goal=LEAST,
        at_least=True,
        names=("ours", "loop"),
        scale=1,
    )
    return [figure], []


GOAL = Goal("G13", "throughput ÷ bare loop", measure)

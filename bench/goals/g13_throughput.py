"""G13: orders a second on the local adapters, beside the bare loop without state."""

import statistics

from bench.figures import compare
from bench.goal import Goal, Measured
from bench.stage import Stage
from bench.stand_in import CPU

LEAST = 0.6
TURNS = 40
SIZE, ORDERS = 200_000, 10


def measure(stage: Stage) -> Measured:
    """Collect batches of ten in turn; the upstream has a process of its own."""
    stage.be_slow(0)
    runtime = stage.local_runtime
    mine, theirs, busy = [], [], []
    with stage.local() as ours, stage.peer("floor/loop.py", runtime=runtime) as loop:
        for worker in (ours, loop):
            worker.collect(SIZE, orders=ORDERS)
        for _ in stage.steps(TURNS):
            mine.append(ours.collect(SIZE, orders=ORDERS).wall)
            used = stage.upstream.counts()[CPU]
            theirs.append(loop.collect(SIZE, orders=ORDERS).wall)
            busy.append((stage.upstream.counts()[CPU] - used) / theirs[-1])
    rates = [[ORDERS / each for each in walls] for walls in (mine, theirs)]
    figure = compare(
        "3×200 KB (orders/s)",
        *rates,
        goal=LEAST,
        at_least=True,
        names=("ours", "loop"),
        scale=1,
    )
    told = f"The upstream used {statistics.median(busy):.2f} of a core for the loop."
    return [figure], [told]


GOAL = Goal("G13", "throughput ÷ bare loop", measure)

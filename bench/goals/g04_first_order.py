"""G4: a process's first order beside its second."""

from bench.figures import compare
from bench.goal import Goal, Measured
from bench.stage import LATENCY, Stage

MOST = 1.15
STARTS = 40
SIZE = 200_000


def measure(stage: Stage) -> Measured:
    """Start a process and collect two orders, again and again."""
    stage.be_slow(LATENCY)
    with stage.ours() as worker:
        worker.collect(SIZE)  # buys the ticket, for all
    firsts, seconds = [], []
    for _ in stage.steps(STARTS):
        with stage.ours() as worker:
            firsts.append(worker.collect(SIZE).wall)
            seconds.append(worker.collect(SIZE).wall)
    figure = compare("3×200 KB", firsts, seconds, goal=MOST, names=("first", "second"))
    return [figure], []


GOAL = Goal("G4", "first order ÷ second order", measure)

"""G9: a batch of ten orders beside one order, with a slow platform."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import compare

MAX_RATIO = 1.3
TURNS = 40
SIZE, ORDERS = 200_000, 10
LATENCY_SECONDS = 0.3


def measure(environment: BenchEnvironment) -> Measured:
    """Collects one order, then ten in a batch, in turn."""
    environment.set_latency(LATENCY_SECONDS)
    ones, tens = [], []
    with environment.start_service() as worker:
        for count in (1, ORDERS, ORDERS):
            worker.collect(SIZE, orders=count)
        for _ in environment.rounds(TURNS):
            ones.append(worker.collect(SIZE).wall)
            tens.append(worker.collect(SIZE, orders=ORDERS).wall)
    figure = compare(
        "3×200 KB, 300 ms", tens, ones, goal=MAX_RATIO, names=("ten", "one")
    )
    return [figure], []


GOAL = Goal("G9", "batch of ten ÷ one order", measure)

"""G4: the first order of a process beside its second."""

from bench.environment.bench_environment import LATENCY_SECONDS, BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import compare

MAX_RATIO = 1.15
STARTS = 40
SIZE = 200_000


def measure(environment: BenchEnvironment) -> Measured:
    """Starts a process and collect two orders, several times."""
    environment.set_latency(LATENCY_SECONDS)
    with environment.start_service() as worker:
        worker.collect(SIZE)  # obtains the ticket for all processes
    firsts, seconds = [], []
    for _ in environment.rounds(STARTS):
        with environment.start_service() as worker:
            firsts.append(worker.collect(SIZE).wall)
            seconds.append(worker.collect(SIZE).wall)
    figure = compare(
        "3×200 KB", firsts, seconds, goal=MAX_RATIO, names=("first", "second")
    )
    return [figure], []


GOAL = Goal("G4", "first order ÷ second order", measure)

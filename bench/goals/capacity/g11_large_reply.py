"""G11: memory and CPU of the largest reply, 16 MB."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import summarize

MAX_MEGABYTES, MAX_SECONDS = 256, 0.5
TURNS = 8
SIZE = 4_150_000  # three of them in Base64 are 16.6 MB, just below the cap


def measure(environment: BenchEnvironment) -> Measured:
    """Collects orders whose replies are just below the cap."""
    environment.set_latency(0)
    with environment.start_service() as worker:
        worker.collect(1000)
        samples = [worker.collect_and_weigh(SIZE) for _ in environment.rounds(TURNS)]
    peaks = [each.peak / 1e6 for each in samples]
    seconds = [each.sample.cpu for each in samples]
    return [
        summarize("peak RSS", peaks, unit="MB", goal=MAX_MEGABYTES),
        summarize("CPU", seconds, unit="s", goal=MAX_SECONDS),
    ], []


GOAL = Goal("G11", "a reply of 16 MB", measure)

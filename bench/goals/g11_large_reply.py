"""G11: what the largest reply costs: 16 MB."""

from bench.figures import state
from bench.goal import Goal, Measured
from bench.stage import Stage

MOST_MEGABYTES, MOST_SECONDS = 256, 0.5
TURNS = 8
SIZE = 4_150_000  # three of them in Base64 are 16.6 MB, just under the cap


def measure(stage: Stage) -> Measured:
    """Weigh orders whose replies are as large as the cap lets through."""
    stage.be_slow(0)
    with stage.ours() as worker:
        worker.collect(1000)
        weights = [worker.weigh(SIZE) for _ in stage.steps(TURNS)]
    peaks = [weight.peak / 1e6 for weight in weights]
    seconds = [weight.sample.cpu for weight in weights]
    return [
        state("peak RSS", peaks, unit="MB", goal=MOST_MEGABYTES),
        state("CPU", seconds, unit="s", goal=MOST_SECONDS),
    ], []


GOAL = Goal("G11", "a reply of 16 MB", measure)

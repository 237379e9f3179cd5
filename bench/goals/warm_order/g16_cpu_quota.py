"""G16: an order at a seventh of a core, the share of a Lambda function with 256 MB."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.goals.warm_order.interleaved_orders import collect_in_turn, wall_seconds
from bench.measure.cpu_quota import describe_method, limit_cpu
from bench.measure.figures import compare

MAX_RATIO = 0.40
TURNS = 60
SIZE = 500_000


def measure(environment: BenchEnvironment) -> Measured:
    """Collects orders in turn, each process limited to its share."""
    samples = collect_in_turn(
        environment, SIZE, turns=TURNS, names=("ours", "naive"), limit=limit_cpu
    )
    ours, naive = (wall_seconds(samples[name]) for name in ("ours", "naive"))
    figure = compare("3×500 KB", ours, naive, goal=MAX_RATIO)
    return [figure], [f"Each process is limited by {describe_method()}."]


GOAL = Goal("G16", "wall at a seventh of a core ÷ naive", measure)

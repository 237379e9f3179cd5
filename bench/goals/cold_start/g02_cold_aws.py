"""G2: cold start on the AWS adapters beside the naive peer."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.cold_start.start_pairs import compare_starts
from bench.goals.goal import Goal, Measured

MAX_RATIO, STRETCH_RATIO = 0.95, 0.70
PAIRS = 40


def measure(environment: BenchEnvironment) -> Measured:
    """Starts both in turn as Lambda does: packaged, with template.yaml's settings."""
    figures = compare_starts(
        "AWS adapters",
        environment.rounds(PAIRS),
        ours=environment.start_service,
        theirs=lambda: environment.start_peer("naive"),
        goal=MAX_RATIO,
    )
    reached = "reached" if figures[0].measured <= STRETCH_RATIO else "not reached"
    return figures, [
        f"The stretch goal of {STRETCH_RATIO} is {reached}.",
        f"Run by {environment.lambda_runtime.description}.",
    ]


GOAL = Goal("G2", "cold start, AWS ÷ naive init", measure)

"""G1: cold start without AWS beside boto3 with an S3 client."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.environment.bench_environment import BenchEnvironment
from bench.environment.tencent import start_tencent
from bench.environment.worker import Worker
from bench.goals.cold_start.start_pairs import compare_starts
from bench.goals.goal import Goal, Measured
from bench.measure.figures import Figure
from kycourier_devkit.errors import ToolUnavailableError

MAX_RATIO = 0.75
PAIRS = 30


def measure(environment: BenchEnvironment) -> Measured:
    """Starts both in turn, in this interpreter, from bytecode."""
    notes = [f"Run by {environment.local_runtime.description}."]
    figures = _compare(environment, "local adapters", environment.start_local_service)
    try:
        with start_tencent(environment) as settings:
            figures += _compare(
                environment,
                "Tencent's adapters",
                lambda: environment.start_local_service(settings=settings),
            )
    except ToolUnavailableError as missing:
        notes.append(f"Tencent's adapters were not measured: {missing}.")
    return figures, notes


def _compare(
    environment: BenchEnvironment,
    label: str,
    ours: Callable[[], AbstractContextManager[Worker]],
) -> list[Figure]:
    runtime = environment.local_runtime
    return compare_starts(
        label,
        environment.rounds(PAIRS),
        ours=ours,
        theirs=lambda: environment.start_peer("boto3_client", runtime=runtime),
        goal=MAX_RATIO,
        names=("ours", "boto3 + S3"),
    )


GOAL = Goal("G1", "cold start, local and Tencent ÷ boto3 + S3 client", measure)

"""G1: cold, handler ready, without AWS, beside bare boto3 with a client for S3."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from bench.cold import compare_starts
from bench.figures import Figure
from bench.goal import Goal, Measured
from bench.stage import Stage
from bench.tencent import start_tencent
from bench.worker import Worker
from kycourier_devkit.errors import ToolMissing

MOST = 0.75
PAIRS = 30


def measure(stage: Stage) -> Measured:
    """Start both again and again, in this interpreter, from bytecode."""
    notes = [f"Run by {stage.local_runtime.words}."]
    figures = _compare(stage, "local adapters", stage.local)
    try:
        with start_tencent(stage) as settings:
            figures += _compare(
                stage, "Tencent's adapters", lambda: stage.local(settings=settings)
            )
    except ToolMissing as missing:
        notes.append(f"Tencent's adapters were not measured: {missing}.")
    return figures, notes


def _compare(
    stage: Stage, label: str, ours: Callable[[], AbstractContextManager[Worker]]
) -> list[Figure]:
    return compare_starts(
        label,
        stage.steps(PAIRS),
        ours=ours,
        theirs=lambda: stage.peer("naive/bare_client.py", runtime=stage.local_runtime),
        goal=MOST,
        names=("ours", "boto3 + S3"),
    )


GOAL = Goal("G1", "cold start, local and Tencent ÷ boto3 + S3 client", measure)

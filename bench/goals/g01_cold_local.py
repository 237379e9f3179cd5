"""G1: cold, handler ready, local adapters beside bare boto3 with a client for S3."""

from bench.cold import compare_starts
from bench.goal import Goal, Measured
from bench.stage import Stage

MOST = 0.75
PAIRS = 30
NOTE = (
    "Tencent's adapters are not part of this release; what they would load beside the"
    " local ones is an obstore client (22 ms) and the SSM and EventBridge SDKs."
)


def measure(stage: Stage) -> Measured:
    """Start both again and again, in this interpreter, from bytecode."""
    runtime = stage.local_runtime
    figures = compare_starts(
        "local adapters",
        stage.steps(PAIRS),
        ours=stage.local,
        theirs=lambda: stage.peer("naive/bare_client.py", runtime=runtime),
        goal=MOST,
        names=("ours", "boto3 + S3"),
    )
    return figures, [NOTE, f"Run by {runtime.words}."]


GOAL = Goal("G1", "cold start, local ÷ boto3 + S3 client", measure)

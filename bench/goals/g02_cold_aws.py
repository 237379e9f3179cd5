"""G2: cold, handler ready, AWS adapters beside the naive peer's init."""

from bench.cold import compare_starts
from bench.goal import Goal, Measured
from bench.stage import Stage

MOST, STRETCH = 0.95, 0.70
PAIRS = 40


def measure(stage: Stage) -> Measured:
    """Start both again and again as Lambda would: packages, set as by template.yaml."""
    figures = compare_starts(
        "AWS adapters",
        stage.steps(PAIRS),
        ours=stage.ours,
        theirs=lambda: stage.peer("naive/handler.py"),
        goal=MOST,
    )
    reached = "reached" if figures[0].measured <= STRETCH else "not reached"
    return figures, [
        f"The stretch of {STRETCH} is {reached}.",
        f"Run by {stage.lambda_runtime.words}.",
    ]


GOAL = Goal("G2", "cold start, AWS ÷ naive init", measure)

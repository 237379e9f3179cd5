"""G10: how far a process grows over its idle size, beside the photos' bytes."""

from bench.figures import Figure, state
from bench.goal import Goal, Measured
from bench.stage import Stage

MOST = 2.6
TURNS = 8
SMALL, SIZE, ORDERS = 1000, 1_500_000, 10
PHOTOS = 3 * SIZE
CAPS = (2, 10)


def measure(stage: Stage) -> Measured:
    """Weigh single orders, then batches of ten under two in-flight caps."""
    stage.be_slow(0)
    figures = [_weigh(stage, "3×1.5 MB, one order", orders=1, cap=10)]
    figures += [
        _weigh(stage, f"ten, {cap} in flight, each", orders=ORDERS, cap=cap)
        for cap in CAPS
    ]
    return figures, [
        "A batch is divided by the orders in flight: KYCOURIER_MAX_IN_FLIGHT bounds it."
    ]


def _weigh(stage: Stage, label: str, *, orders: int, cap: int) -> Figure:
    share = PHOTOS * min(orders, cap)
    with stage.ours(KYCOURIER_MAX_IN_FLIGHT=str(cap)) as worker:
        for _ in range(2):  # warm, and not yet grown
            idle = worker.weigh(SMALL, orders=orders).idle
        grown = [
            (worker.weigh(SIZE, orders=orders).peak - idle) / share
            for _ in stage.steps(TURNS)
        ]
    return state(label, grown, unit="×", goal=MOST)


GOAL = Goal("G10", "peak memory over idle ÷ photo bytes", measure)

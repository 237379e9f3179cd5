"""G10: growth of a process over its idle size, beside the bytes of the photos."""

from bench.environment.bench_environment import BenchEnvironment
from bench.goals.goal import Goal, Measured
from bench.measure.figures import Figure, summarize

MAX_RATIO = 2.6
TURNS = 8
SMALL_SIZE, SIZE, ORDERS = 1000, 1_500_000, 10
PHOTO_BYTES = 3 * SIZE
CAPS = (2, 10)
NOTE = "Growth is divided by the orders in flight: KYCOURIER_MAX_IN_FLIGHT bounds it."


def measure(environment: BenchEnvironment) -> Measured:
    """Measures single orders, then batches of ten under two in-flight caps."""
    environment.set_latency(0)
    figures = [_measure(environment, "3×1.5 MB, one order", orders=1, cap=10)]
    figures += [
        _measure(environment, f"ten, {cap} in flight, each", orders=ORDERS, cap=cap)
        for cap in CAPS
    ]
    return figures, [NOTE]


def _measure(
    environment: BenchEnvironment, label: str, *, orders: int, cap: int
) -> Figure:
    share = PHOTO_BYTES * min(orders, cap)
    with environment.start_service(KYCOURIER_MAX_IN_FLIGHT=str(cap)) as worker:
        for _ in range(2):  # warm, before memory has grown
            idle = worker.collect_and_weigh(SMALL_SIZE, orders=orders).idle
        growth = [
            (worker.collect_and_weigh(SIZE, orders=orders).peak - idle) / share
            for _ in environment.rounds(TURNS)
        ]
    return summarize(label, growth, unit="×", goal=MAX_RATIO)


GOAL = Goal("G10", "peak memory over idle ÷ photo bytes", measure)

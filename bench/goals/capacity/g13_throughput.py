"""G13: orders a second on the local adapters, beside a loop without state."""

import statistics

from bench.environment.bench_environment import BenchEnvironment
from bench.environment.emulator_process import CPU
from bench.goals.goal import Goal, Measured
from bench.measure.figures import compare

MIN_RATIO = 0.6
TURNS = 40
SIZE, ORDERS = 200_000, 10


def measure(environment: BenchEnvironment) -> Measured:
    """Collects batches of ten in turn, with the platform in its own process."""
    environment.set_latency(0)
    platform, runtime = environment.kyc_platform, environment.local_runtime
    our_walls, loop_walls, platform_cores = [], [], []
    with (
        environment.start_local_service() as ours,
        environment.start_peer("floor_loop", runtime=runtime) as loop,
    ):
        for worker in (ours, loop):
            worker.collect(SIZE, orders=ORDERS)
        for _ in environment.rounds(TURNS):
            our_walls.append(ours.collect(SIZE, orders=ORDERS).wall)
            cpu_before = platform.counters()[CPU]
            loop_walls.append(loop.collect(SIZE, orders=ORDERS).wall)
            cpu = platform.counters()[CPU] - cpu_before
            platform_cores.append(cpu / loop_walls[-1])
    rates = [[ORDERS / each for each in walls] for walls in (our_walls, loop_walls)]
    figure = compare(
        "3×200 KB (orders/s)",
        *rates,
        goal=MIN_RATIO,
        at_least=True,
        names=("ours", "loop"),
        scale=1,
    )
    cores = statistics.median(platform_cores)
    return [figure], [f"The platform used {cores:.2f} of a core for the loop."]


GOAL = Goal("G13", "throughput ÷ stateless loop", measure)

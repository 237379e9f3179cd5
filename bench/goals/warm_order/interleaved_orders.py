"""Collects warm orders with the service, the naive peer and the floor, in turn."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext

from bench.environment.bench_environment import LATENCY_SECONDS, BenchEnvironment
from bench.environment.worker import Sample, Worker
from bench.measure.figures import Figure, compare

CONTENDERS = ("ours", "naive", "floor")
WARM_UP_ORDERS = 3
TURNS = 100
SIZES = {"3×200 KB": 200_000, "3×500 KB": 500_000, "3×1.5 MB": 1_500_000}
Samples = dict[str, list[Sample]]
Limit = Callable[[int], AbstractContextManager[object]]


def compare_sizes(
    environment: BenchEnvironment,
    read: Callable[[Sequence[Sample]], list[float]],
    *,
    goals: Mapping[str, float],
) -> list[Figure]:
    """Compares the service and the floor with the naive peer at every size.

    `read` takes wall or CPU seconds from the samples, which are collected only once.
    """
    figures = []
    for label, size in SIZES.items():
        samples = environment.cached(
            ("warm", size),
            lambda: collect_in_turn(environment, size, turns=TURNS, names=CONTENDERS),  # noqa: B023 - called at once
        )
        seconds = {name: read(each) for name, each in samples.items()}
        figures += [
            compare(label, seconds["ours"], seconds["naive"], goal=goals[label]),
            compare(
                f"{label}, the floor",
                seconds["floor"],
                seconds["naive"],
                names=("floor", "naive"),
            ),
        ]
    return figures


def collect_in_turn(
    environment: BenchEnvironment,
    size: int,
    *,
    turns: int,
    names: Sequence[str],
    limit: Limit = lambda _: nullcontext(),
) -> Samples:
    """Collects one order with each contender per turn.

    Args:
        environment: where they run.
        size: bytes of each photo.
        turns: how many orders each collects.
        names: the contenders.
        limit: limits the CPU of a process, by its id.
    """
    environment.set_latency(LATENCY_SECONDS)
    with ExitStack() as stack:
        workers = {
            name: stack.enter_context(start_contender(environment, name))
            for name in names
        }
        for worker in workers.values():
            stack.enter_context(limit(worker.pid))
            for _ in range(WARM_UP_ORDERS):
                worker.collect(size)
        samples: Samples = {name: [] for name in names}
        for _ in environment.rounds(turns):
            for name, worker in workers.items():
                samples[name].append(worker.collect(size))
    return samples


def start_contender(
    environment: BenchEnvironment, name: str, wrapper: Sequence[str] = ()
) -> AbstractContextManager[Worker]:
    """Starts one of `CONTENDERS`."""
    if name == "ours":
        return environment.start_service(wrapper=wrapper)
    return environment.start_peer(name, wrapper=wrapper)


def wall_seconds(samples: Sequence[Sample]) -> list[float]:
    """Returns seconds of wall time."""
    return [sample.wall for sample in samples]


def cpu_seconds(samples: Sequence[Sample]) -> list[float]:
    """Returns seconds of CPU of all threads, user and system."""
    return [sample.cpu for sample in samples]

"""Warm orders in turn: ours, the naive peer, the floor; one sample of each a turn."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext

from bench.figures import Figure, compare
from bench.stage import LATENCY, Stage
from bench.worker import Sample, Worker

WHO = ("ours", "naive", "floor")
WARM_UP = 3
TURNS = 100
SIZES = {"3×200 KB": 200_000, "3×500 KB": 500_000, "3×1.5 MB": 1_500_000}
Turns = dict[str, list[Sample]]
Slow = Callable[[int], AbstractContextManager[object]]


def compare_sizes(
    stage: Stage,
    read: Callable[[Sequence[Sample]], list[float]],
    *,
    goals: Mapping[str, float],
) -> list[Figure]:
    """Compare ours, and beside it the floor, with the naive peer at every size.

    `read` takes wall or CPU from the samples, which are made once for both.
    """
    figures = []
    for label, size in SIZES.items():
        turns = stage.once(
            ("warm", size),
            lambda: measure_turns(stage, size, turns=TURNS, who=WHO),  # noqa: B023 - called at once
        )
        found = {name: read(samples) for name, samples in turns.items()}
        figures += [
            compare(label, found["ours"], found["naive"], goal=goals[label]),
            compare(
                f"{label}, the floor",
                found["floor"],
                found["naive"],
                names=("floor", "naive"),
            ),
        ]
    return figures


def measure_turns(
    stage: Stage,
    size: int,
    *,
    turns: int,
    who: Sequence[str],
    slow: Slow = lambda _: nullcontext(),
) -> Turns:
    """Collect one order each, turn after turn; `slow` holds a process back."""
    stage.be_slow(LATENCY)
    with ExitStack() as stack:
        workers = {name: stack.enter_context(start(stage, name)) for name in who}
        for worker in workers.values():
            stack.enter_context(slow(worker.pid))
            for _ in range(WARM_UP):
                worker.collect(size)
        found: Turns = {name: [] for name in who}
        for _ in stage.steps(turns):
            for name, worker in workers.items():
                found[name].append(worker.collect(size))
    return found


def start(
    stage: Stage, name: str, wrap: Sequence[str] = ()
) -> AbstractContextManager[Worker]:
    """Start one of `WHO`."""
    if name == "ours":
        return stage.ours(wrap=wrap)
    return stage.peer(f"{name}/handler.py", wrap=wrap)


def walls(samples: Sequence[Sample]) -> list[float]:
    """Give seconds of wall time."""
    return [sample.wall for sample in samples]


def cpus(samples: Sequence[Sample]) -> list[float]:
    """Give seconds of CPU, of all threads, in user and system."""
    return [sample.cpu for sample in samples]

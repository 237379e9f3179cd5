"""Cold starts: from a bare interpreter to a handler that is ready, pair after pair."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from bench.figures import Figure, compare
from bench.worker import Worker

Start = Callable[[], AbstractContextManager[Worker]]


def compare_starts(
    label: str,
    pairs: Iterable[int],
    *,
    ours: Start,
    theirs: Start,
    goal: float,
    names: tuple[str, str] = ("ours", "naive"),
) -> list[Figure]:
    """Start both once for what the disk must bring, then in turn.

    The wall time decides; the CPU stands beside, since it is calmer.
    """
    for start in (ours, theirs):
        with start():
            pass
    mine: list[dict[str, float]] = []
    others: list[dict[str, float]] = []
    for _ in pairs:
        for start, found in ((ours, mine), (theirs, others)):
            with start() as worker:
                found.append(worker.ready)

    def compared(label: str, what: str, goal: float | None) -> Figure:
        samples = ([each[what] for each in found] for found in (mine, others))
        return compare(label, *samples, goal=goal, names=names)

    return [compared(label, "wall", goal), compared(f"{label}, CPU", "cpu", None)]

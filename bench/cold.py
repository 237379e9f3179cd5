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
) -> Figure:
    """Start both once for what the disk must bring, then in turn."""
    for start in (ours, theirs):
        with start():
            pass
    mine: list[float] = []
    others: list[float] = []
    for _ in pairs:
        for start, found in ((ours, mine), (theirs, others)):
            with start() as worker:
                found.append(worker.ready["wall"])
    return compare(label, mine, others, goal=goal, names=names)

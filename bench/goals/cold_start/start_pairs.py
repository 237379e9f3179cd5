"""Compares cold starts, from a bare interpreter to a ready handler, pair by pair."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from bench.environment.worker import Worker
from bench.measure.figures import Figure, compare

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
    """Starts both in turn, after one start each that fills the disk cache.

    The goal applies to wall time; CPU is shown for information.
    """
    for start in (ours, theirs):
        with start():
            pass
    our_starts: list[dict[str, float]] = []
    their_starts: list[dict[str, float]] = []
    for _ in pairs:
        for start, startups in ((ours, our_starts), (theirs, their_starts)):
            with start() as worker:
                startups.append(worker.startup)

    def figure(label: str, clock: str, goal: float | None) -> Figure:
        samples = (
            [each[clock] for each in all_] for all_ in (our_starts, their_starts)
        )
        return compare(label, *samples, goal=goal, names=names)

    return [figure(label, "wall", goal), figure(f"{label}, CPU", "cpu", None)]

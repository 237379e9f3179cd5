"""G6: CPU of a warm order beside the naive peer's, by the clock and by instructions."""

from bench.counting import ABSENT, LIMIT_SECONDS, count_instructions
from bench.figures import Figure, compare
from bench.goal import Goal, Measured
from bench.processes import BenchFailed
from bench.stage import Stage
from bench.warm import SIZES, compare_sizes, cpus, start

MOST = {"3×200 KB": 0.45, "3×500 KB": 0.35, "3×1.5 MB": 0.30}
CALLS = 4


def measure(stage: Stage) -> Measured:
    """Take the CPU of the same orders as G5, and count instructions beside it."""
    figures = compare_sizes(stage, cpus, goals=MOST)
    if stage.is_smoke:
        return figures, ["A short run counts no instructions here, but for G8."]
    try:
        counted = [_count(stage, label, size) for label, size in SIZES.items()]
    except BenchFailed as failed:
        return figures, [f"{ABSENT}: {failed}."]
    return [*figures, *counted], []


def _count(stage: Stage, label: str, size: int) -> Figure:
    stage.be_slow(0)
    counts = {
        name: count_instructions(
            lambda wrap: start(stage, name, wrap),  # noqa: B023 - called at once
            lambda worker: worker.collect(size, limit=LIMIT_SECONDS),
            calls=CALLS,
        )
        for name in ("ours", "naive")
    }
    return compare(
        f"{label}, instructions (millions)",
        [counts["ours"]],
        [counts["naive"]],
        scale=1e-6,
    )


GOAL = Goal("G6", "warm CPU ÷ naive", measure)

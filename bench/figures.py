"""Figures: what was measured, how sure that is, and whether it reaches the goal."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeVar

from msgspec import Struct, field

RESAMPLES = 2000
CONFIDENCE = 0.95
_SEED = 20261130

T = TypeVar("T")
Samples = Sequence[float]
Median = Callable[[Samples], float]


class Figure(Struct, frozen=True, kw_only=True):
    """One figure. Without a `goal` it stands beside, and decides nothing.

    `interval` is of 95 in 100; `raw` are all samples by whose they are.
    """

    label: str
    measured: float
    goal: float | None = None
    at_least: bool = False
    unit: str = ""
    interval: tuple[float, float] | None = None
    raw: Mapping[str, Samples] = field(default_factory=dict)
    medians: Mapping[str, float] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Tell whether the goal is reached, or there is none."""
        if self.goal is None:
            return True
        if self.at_least:
            return self.measured >= self.goal
        return self.measured <= self.goal


class Report(Struct, frozen=True, kw_only=True):
    """What one goal came to; `notes` are sentences for whoever reads it."""

    goal: str
    title: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()

    @property
    def holds(self) -> bool:
        """Tell whether every figure reaches its goal."""
        return all(figure.holds for figure in self.figures)

    @property
    def is_measured(self) -> bool:
        """Tell whether anything was measured that a goal decides on."""
        return any(figure.goal is not None for figure in self.figures)


def compare(
    label: str,
    ours: Samples,
    theirs: Samples,
    *,
    goal: float | None = None,
    at_least: bool = False,
    names: tuple[str, str] = ("ours", "naive"),
    scale: float = 1000,
) -> Figure:
    """Give the ratio of two medians of interleaved pairs, one sample of each a pair.

    Samples are in seconds; they are kept times `scale`, which is milliseconds.
    """
    pairs = list(zip(ours, theirs, strict=True))
    raw = {
        name: [round(each * scale, 4) for each in samples]
        for name, samples in zip(names, (ours, theirs), strict=True)
    }
    return Figure(
        label=label,
        measured=ratio_of_medians(pairs),
        goal=goal,
        at_least=at_least,
        unit="×",
        interval=bootstrap(pairs, ratio_of_medians),
        raw=raw,
        medians={name: statistics.median(samples) for name, samples in raw.items()},
        spreads={name: spread(samples) for name, samples in raw.items()},
    )


def state(
    label: str,
    samples: Samples,
    *,
    unit: str,
    goal: float | None = None,
    name: str = "ours",
) -> Figure:
    """Give the median of samples that stand for themselves."""
    median: Median = statistics.median
    singles = list(samples)
    return Figure(
        label=label,
        measured=median(singles),
        goal=goal,
        unit=unit,
        interval=bootstrap(singles, median) if len(singles) > 1 else None,
        raw={name: [round(each, 4) for each in singles]},
        medians={name: median(singles)},
        spreads={name: spread(singles)},
    )


def ratio_of_medians(pairs: Sequence[tuple[float, float]]) -> float:
    """Divide the median of the first by the median of the second."""
    ours, theirs = zip(*pairs, strict=True)
    return float(statistics.median(ours) / statistics.median(theirs))


def spread(samples: Samples) -> float:
    """Give the range of the middle half; 0 of a single sample."""
    if len(samples) < 2:  # noqa: PLR2004 - a range takes two
        return 0.0
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return high - low


def bootstrap(
    samples: Sequence[T], statistic: Callable[[Sequence[T]], float]
) -> tuple[float, float]:
    """Give the interval that the statistic lies in, of 95 in 100 resamples."""
    draw = Random(_SEED)  # noqa: S311 - statistics, and the same each time
    found = sorted(
        statistic(draw.choices(samples, k=len(samples))) for _ in range(RESAMPLES)
    )
    outside = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return found[outside], found[-1 - outside]

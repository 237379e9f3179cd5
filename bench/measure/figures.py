"""Figures: a measured value, its confidence interval, and the goal it is held to."""

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


class Figure(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One measured value. Without a `goal` it is shown for information only.

    `interval` is the 95 % confidence interval; `raw` holds all samples by name.
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
    def is_met(self) -> bool:
        """Whether the goal is met, or there is none."""
        if self.goal is None:
            return True
        if self.at_least:
            return self.measured >= self.goal
        return self.measured <= self.goal


class GoalReport(Struct, frozen=True, kw_only=True):
    """The figures of one goal, with notes for the reader."""

    goal: str
    title: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()

    @property
    def is_met(self) -> bool:
        """Whether every figure meets its goal."""
        return all(figure.is_met for figure in self.figures)


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
    """Returns the ratio of two medians of interleaved pairs.

    Args:
        label: what is compared.
        ours: one sample of each pair, in seconds.
        theirs: the other one.
        goal: the ratio to reach.
        at_least: whether a larger ratio is better.
        names: what the samples are kept under.
        scale: what kept samples are multiplied by; milliseconds by default.
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


def summarize(
    label: str, samples: Samples, *, unit: str, goal: float | None = None
) -> Figure:
    """Returns the median of samples that are not compared with others."""
    name, singles = "ours", list(samples)
    median: Callable[[Samples], float] = statistics.median
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
    """Divides the median of the first samples by the median of the second."""
    ours, theirs = zip(*pairs, strict=True)
    return float(statistics.median(ours) / statistics.median(theirs))


def spread(samples: Samples) -> float:
    """Returns the interquartile range; 0 of a single sample."""
    if len(samples) < 2:  # noqa: PLR2004 - a range takes two
        return 0.0
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return high - low


def bootstrap(
    samples: Sequence[T], statistic: Callable[[Sequence[T]], float]
) -> tuple[float, float]:
    """Returns the 95 % confidence interval of a statistic, by resampling."""
    draw = Random(_SEED)  # noqa: S311 - statistics, repeatable
    found = sorted(
        statistic(draw.choices(samples, k=len(samples))) for _ in range(RESAMPLES)
    )
    outside = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    return found[outside], found[-1 - outside]

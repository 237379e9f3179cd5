"""The bench's statistics, on numbers whose ratios are known."""

import pytest
from bench.measure.figures import (
    Figure,
    bootstrap,
    compare,
    ratio_of_medians,
    spread,
    summarize,
)


def test_ratio_is_of_medians_not_of_means():
    assert ratio_of_medians([(1, 10), (2, 2), (90, 4)]) == 2 / 4


def test_pairs_are_stored_in_milliseconds_with_medians_and_spreads():
    figure = compare("a", [0.002, 0.001, 0.003], [0.004, 0.004, 0.004], goal=0.5)

    assert figure.measured == 0.5
    assert figure.raw == {"ours": [2, 1, 3], "naive": [4, 4, 4]}
    assert figure.medians == {"ours": 2, "naive": 4}
    assert figure.spreads == {"ours": 1, "naive": 0}


def test_samples_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="zip"):
        compare("a", [1.0], [1.0, 2.0])


def test_interval_contains_ratio_and_is_repeatable():
    pairs = [(1 + at % 7 / 10, 2 + at % 5 / 10) for at in range(40)]
    low, high = bootstrap(pairs, ratio_of_medians)

    assert low < ratio_of_medians(pairs) < high
    assert bootstrap(pairs, ratio_of_medians) == (low, high)


def test_samples_of_pair_are_resampled_together():
    """Noise that affects both samples of a pair does not change their ratio."""
    pairs = [(noise, 2 * noise) for noise in (1.0, 5.0, 9.0, 2.0, 7.0)]

    assert bootstrap(pairs, ratio_of_medians) == (0.5, 0.5)


def test_spread_is_interquartile_range():
    assert spread([1, 2, 3, 4, 5]) == 2
    assert spread([7]) == 0


def test_summary_has_median_and_no_interval_of_single_sample():
    assert summarize("a", [2.0, 8.0, 4.0], unit="ms").measured == 4
    assert summarize("a", [1.0], unit="ms").interval is None


@pytest.mark.parametrize(
    ("measured", "goal", "at_least", "is_met"),
    [
        (0.72, 0.72, False, True),
        (0.73, 0.72, False, False),
        (0.6, 0.6, True, True),
        (0.59, 0.6, True, False),
        (9.0, None, False, True),
        (0, 0, False, True),
        (1, 0, False, False),
    ],
)
def test_goal_includes_its_limit(measured, goal, at_least, is_met):
    figure = Figure(label="a", measured=measured, goal=goal, at_least=at_least)

    assert figure.is_met is is_met

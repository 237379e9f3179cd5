"""The bench's arithmetic, on numbers whose ratios are known."""

import pytest
from bench.figures import (
    Figure,
    Report,
    bootstrap,
    compare,
    ratio_of_medians,
    spread,
    state,
)
from bench.results import last_line, rows_of, spell

NUMBERS = [2.0, 8.0, 4.0]


def report(goal: str, *figures: Figure) -> Report:
    return Report(goal=goal, title="a title", figures=figures)


def test_ratio_is_of_medians_not_of_means():
    assert ratio_of_medians([(1, 10), (2, 2), (90, 4)]) == 2 / 4


def test_pairs_are_kept_in_milliseconds_with_medians_and_spreads():
    figure = compare("a", [0.002, 0.001, 0.003], [0.004, 0.004, 0.004], goal=0.5)

    assert figure.measured == 0.5
    assert figure.raw == {"ours": [2, 1, 3], "naive": [4, 4, 4]}
    assert figure.medians == {"ours": 2, "naive": 4}
    assert figure.spreads == {"ours": 1, "naive": 0}


def test_uneven_samples_are_no_pairs():
    with pytest.raises(ValueError, match="zip"):
        compare("a", [1.0], [1.0, 2.0])


def test_interval_of_pairs_that_all_agree_is_their_ratio():
    pairs = [(3.0, 4.0)] * 9

    assert bootstrap(pairs, ratio_of_medians) == (0.75, 0.75)


def test_interval_holds_the_ratio_and_is_the_same_each_time():
    pairs = [(1 + at % 7 / 10, 2 + at % 5 / 10) for at in range(40)]
    low, high = bootstrap(pairs, ratio_of_medians)

    assert low < ratio_of_medians(pairs) < high
    assert bootstrap(pairs, ratio_of_medians) == (low, high)


def test_wider_samples_give_a_wider_interval():
    narrow = [(1 + at % 3 / 100, 1.0) for at in range(30)]
    wide = [(1 + at % 3, 1.0) for at in range(30)]

    def width(pairs):
        low, high = bootstrap(pairs, ratio_of_medians)
        return high - low

    assert width(narrow) < width(wide)


def test_pairs_are_resampled_together():
    """Noise that hits both of a pair alike says nothing of their ratio."""
    together = [(noise, 2 * noise) for noise in (1.0, 5.0, 9.0, 2.0, 7.0)]

    assert bootstrap(together, ratio_of_medians) == (0.5, 0.5)


def test_spread_is_the_middle_halfs_range():
    assert spread([1, 2, 3, 4, 5]) == 2
    assert spread([7]) == 0


def test_single_samples_have_a_median_and_no_interval_of_one():
    assert state("a", NUMBERS, unit="ms").measured == 4
    assert state("a", [1.0], unit="ms").interval is None


@pytest.mark.parametrize(
    ("measured", "goal", "at_least", "holds"),
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
def test_goal_is_held_up_to_itself(measured, goal, at_least, holds):
    figure = Figure(label="a", measured=measured, goal=goal, at_least=at_least)

    assert figure.holds is holds


def test_report_with_one_figure_short_is_short():
    good, bad = (Figure(label="a", measured=at, goal=1) for at in (1, 2))

    assert report("G1", good).holds
    assert not report("G1", good, bad).holds


def test_last_line_counts_goals_and_names_the_short_ones():
    good, bad = (Figure(label="a", measured=at, goal=1) for at in (1, 2))
    reports = [report("G1", good), report("G2", bad), report("G3", good)]

    assert last_line(reports) == "2 of 3 goals held; short: G2"
    assert last_line(reports[:1]) == "1 of 1 goals held"


def test_rows_show_what_a_goal_decides_on_alone():
    figure = compare("a", [0.001] * 3, [0.002] * 3, goal=0.72)
    beside = compare("b", [0.001] * 3, [0.002] * 3)

    rows = rows_of(report("G1", figure, beside))

    assert rows == [("a", "0.5", "0.5–0.5", "≤ 0.72", "held")]


def test_counts_by_the_dozen_are_one_row_and_one_for_each_that_rose():
    counts = [Figure(label=f"c{at}", measured=at, goal=10) for at in range(13)]

    rows = rows_of(report("G3", *counts))

    assert rows == [
        ("counts as they were, or less", "11 of 13", "", "all", "short"),
        ("c11", "11", "", "≤ 10", "short"),
        ("c12", "12", "", "≤ 10", "short"),
    ]


@pytest.mark.parametrize(
    ("value", "spelled"),
    [(0.7251, "0.725"), (12, "12"), (12.34, "12.3"), (97.46, "97.5"), (497.4, "497")],
)
def test_figures_are_spelled_to_three_digits(value, spelled):
    assert spell(value) == spelled

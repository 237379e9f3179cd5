"""docs/performance.md shows the run that is kept, and nothing else."""

from xml.etree import ElementTree as ET

import pytest
from bench.figures import Figure, Report
from bench.page import PAGE, PICTURE, build_picture, replace_part
from bench.plot import distance, draw
from bench.results import read_results


def test_page_shows_what_is_kept():
    text = PAGE.read_text("utf-8")

    assert replace_part(text, read_results()) == text


def test_picture_shows_what_is_kept():
    assert PICTURE.read_text("utf-8") == build_picture(read_results())


def test_picture_has_a_dot_for_each_figure_that_a_goal_decides_on():
    figures = [
        Figure(label="a & b", measured=1, goal=2, interval=(0.5, 1.5)),
        Figure(label="beyond the axis", measured=100, goal=2),
        Figure(label="beside", measured=1),
    ]

    picture = ET.fromstring(draw([report(*figures)], title="<title>"))  # noqa: S314 - ours

    dots = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert [dot.get("class") for dot in dots] == ["held", "short"]


def report(*figures: Figure) -> Report:
    return Report(goal="G1", title="a title", figures=figures)


@pytest.mark.parametrize(
    ("figure", "times"),
    [
        (Figure(label="a", measured=3, goal=6), 0.5),
        (Figure(label="a", measured=3, goal=6, at_least=True), 2),
    ],
)
def test_distance_below_1_is_better_whichever_way_the_goal_goes(figure, times):
    assert distance(figure, figure.measured) == times

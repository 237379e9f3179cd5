"""docs/performance.md shows the stored results, which keep their form."""

from xml.etree import ElementTree as ET

import pytest
from bench.measure.figures import Figure, GoalReport
from bench.report.markers import replace_parts
from bench.report.page import PAGE, PICTURE, build_parts, build_picture
from bench.report.picture import distance, draw
from bench.report.results import FILE, read_results, write_results


def test_page_is_up_to_date():
    text = PAGE.read_text("utf-8")

    assert replace_parts(text, build_parts(read_results())) == text


def test_picture_is_up_to_date():
    assert PICTURE.read_text("utf-8") == build_picture(read_results())


def test_stored_results_have_one_list_of_samples_per_line(tmp_path):
    results = read_results()

    write_results(results, tmp_path / "results.json")

    text = (tmp_path / "results.json").read_text("utf-8")
    assert read_results(tmp_path / "results.json") == results
    assert text == FILE.read_text("utf-8")
    assert sum('"ours": [' in line for line in text.splitlines()) > 16


def test_picture_has_dot_for_each_figure_with_goal():
    figures = [
        Figure(label="a & b", measured=1, goal=2, interval=(0.5, 1.5)),
        Figure(label="beyond the axis", measured=100, goal=2),
        Figure(label="without a goal", measured=1),
    ]
    report = GoalReport(goal="G1", title="a title", figures=figures)

    picture = ET.fromstring(draw([report], title="<title>"))  # noqa: S314 - ours

    dots = picture.findall("{http://www.w3.org/2000/svg}circle")
    assert [dot.get("class") for dot in dots] == ["met", "missed"]


@pytest.mark.parametrize(
    ("figure", "times"),
    [
        (Figure(label="a", measured=3, goal=6), 0.5),
        (Figure(label="a", measured=3, goal=6, at_least=True), 2),
    ],
)
def test_distance_below_one_is_better_than_goal(figure, times):
    assert distance(figure, figure.measured) == times

"""docs/performance.md and its picture show the stored results."""

from bench.report.markers import replace_parts
from bench.report.page import PAGE, PICTURE, build_parts, build_picture
from bench.report.results import read_results


def test_page_is_up_to_date():
    text = PAGE.read_text("utf-8")

    assert replace_parts(text, build_parts(read_results())) == text


def test_picture_is_up_to_date():
    assert PICTURE.read_text("utf-8") == build_picture(read_results())

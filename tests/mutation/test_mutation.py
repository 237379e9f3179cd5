"""The runner of `make mutation`."""

import pytest

from mutation.report import Mutant, Report, read_reasons

ENTRY = """
[[equivalent]]
module = "card"
within = "mask"
was = "a"
becomes = ["b"]
why = "{why}"
"""
REASONS = read_reasons(ENTRY.format(why="the same").encode())
LISTED = Mutant(module="card", within="mask", was="a", becomes="b")
OTHER = Mutant(module="card", within="mask", was="a", becomes="c")


def test_killed_and_listed_mutants_pass():
    assert Report([(LISTED, False), (OTHER, True)], REASONS).passes


@pytest.mark.parametrize(
    ("outcomes", "gaps", "stale"),
    [
        ([(LISTED, False), (OTHER, False)], 1, 0),
        ([(LISTED, True), (OTHER, True)], 0, 1),
        ([(OTHER, True)], 0, 1),
        ([(LISTED, False), (LISTED, True)], 0, 1),
        ([], 0, 0),
    ],
    ids=["a gap", "killed", "gone", "one of two killed", "no mutants at all"],
)
def test_unlisted_survivor_or_stale_entry_fails(outcomes, gaps, stale):
    report = Report(outcomes, REASONS)
    assert not report.passes
    assert (len(report.gaps), len(report.stale)) == (gaps, stale)


def test_entries_of_other_modules_are_not_stale():
    assert Report([(Mutant(module="signature"), True)], REASONS).passes


@pytest.mark.parametrize(
    "text", [ENTRY.format(why=" "), ENTRY.format(why="x") * 2], ids=["none", "twice"]
)
def test_listed_mutant_has_exactly_one_reason(text):
    with pytest.raises(ValueError, match="twice, or without"):
        read_reasons(text.encode())

"""A violation is found, made small, and told so that it can be repeated."""

from dataclasses import replace

import pytest

from kycourier.core import decision
from simulation.__main__ import main
from simulation.run import Scenario, run
from simulation.shrink import explain, shrink

PLANTED = Scenario(3, (9, 19, 41, 54), orders=4, duplicates=3)


@pytest.fixture
def too_eager(monkeypatch):
    """Plant a bug: late photos are asked for nine times in place."""
    monkeypatch.setattr(decision.retry, "IN_PLACE_PHOTO_TRIES", 9)


@pytest.mark.usefixtures("too_eager")
def test_a_violation_is_shrunk_to_the_fault_that_it_needs():
    report = run(replace(PLANTED, faults=(19, 41, 54)))
    assert report.violation.invariant == "I8"
    least = shrink(report)
    assert least.scenario.faults == (19,)
    assert (least.scenario.duplicates, least.scenario.orders) == (0, 1)
    assert len(least.trace) < len(report.trace)


@pytest.mark.usefixtures("too_eager")
def test_it_is_told_with_its_seed_its_trace_and_the_command():
    told = explain(run(replace(PLANTED, faults=(19,), orders=1, duplicates=0)))
    assert told.startswith("I8 broken: ")
    assert "python -m simulation 3 --orders 1 --faults 19" in told
    assert "kyc.query ok" in told


@pytest.mark.usefixtures("too_eager")
def test_the_command_repeats_it(monkeypatch, capsys):
    monkeypatch.setattr(
        "sys.argv", ["simulation", "3", "--faults", "19", "--orders", "1"]
    )
    assert main() == 1
    assert "I8 broken" in capsys.readouterr().out


def test_what_holds_is_told_with_its_ends(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["simulation", "4", "--faults", "24"])
    assert main() == 0
    assert "rejected" in capsys.readouterr().out

"""A violation is found, shrunk to a counterexample, and repeated by its command."""

import pytest

from kycourier.core.orders import decisions
from simulation.__main__ import main
from simulation.engine.run import run
from simulation.engine.scenario import Scenario
from simulation.engine.shrink import shrink


@pytest.fixture
def planted_bug(monkeypatch):
    """Query late photos nine times at once."""
    monkeypatch.setattr(decisions.retry, "IN_PLACE_PHOTO_TRIES", 9)


@pytest.mark.usefixtures("planted_bug")
def test_violation_is_shrunk_to_the_fault_that_causes_it():
    report = run(Scenario(3, (19, 41, 54), orders=4, duplicates=3))
    assert report.violation.invariant == "I8"
    smallest = shrink(report)
    assert smallest.scenario.faults == (19,)
    assert (smallest.scenario.duplicates, smallest.scenario.orders) == (0, 1)
    assert len(smallest.trace) < len(report.trace)


@pytest.mark.usefixtures("planted_bug")
def test_command_prints_the_violation_the_trace_and_itself(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["simulation", "3", "--faults", "19"])
    assert main() == 1
    out = capsys.readouterr().out
    assert "I8 violated: " in out
    assert "python -m simulation 3 --orders 1 --faults 19" in out
    assert "kyc.query ok" in out


def test_command_prints_the_final_states(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["simulation", "4", "--faults", "24"])
    assert main() == 0
    assert "rejected" in capsys.readouterr().out

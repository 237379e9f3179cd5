"""Random mixes of one to six faults, and what a run of all kinds must have seen."""

import pytest

from simulation.run import run
from simulation.scenarios import scenario_of
from simulation.shrink import explain
from simulation.tally import Tally

SEEDS = 600
FIRST, CHUNKS, CHUNK = 1_000_000, 20, 100
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def runs(seeds):
    tally = Tally()
    for seed in seeds:
        report = run(scenario_of(seed))
        if report.violation is not None:
            pytest.fail(explain(report), pytrace=False)
        tally.add(report)
    return tally


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_mixes_break_nothing(chunk):
    first = FIRST + chunk * CHUNK
    assert runs(range(first, first + CHUNK)).runs == CHUNK


def test_every_fault_and_rare_state_is_met_in_a_run_of_all_kinds():
    """Fails when a fault or state that is claimed never happened."""
    assert runs(range(SEEDS)).missing() == []

"""Random mixes of one to six faults, and the coverage of runs of all kinds."""

import pytest

from simulation.coverage import Coverage
from simulation.engine.run import run
from simulation.engine.scenario import draw_scenario
from simulation.engine.shrink import explain

SEEDS = 600
FIRST, CHUNKS, CHUNK = 1_000_000, 20, 100
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def run_seeds(seeds):
    coverage = Coverage()
    for seed in seeds:
        report = run(draw_scenario(seed))
        if report.violation is not None:
            pytest.fail(explain(report), pytrace=False)
        coverage.add(report)
    return coverage


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_fault_mixes_violate_nothing(chunk):
    first = FIRST + chunk * CHUNK
    assert run_seeds(range(first, first + CHUNK)).runs == CHUNK


def test_every_fault_and_rare_state_occurs_in_runs_of_all_kinds():
    assert run_seeds(range(SEEDS)).missing() == []

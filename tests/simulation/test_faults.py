"""Every named fault: alone, with duplicate deliveries, with a crash at every step."""

import pytest

from simulation.engine.run import run
from simulation.engine.scenario import (
    LARGE,
    MAX_CALLS,
    SMALL,
    Scenario,
    crash_scenario,
)
from simulation.engine.shrink import explain
from simulation.faults import FAULTS

SEEDS = 24
STRIDE = 3


def run_without_violation(scenario):
    """Run a scenario; a violation fails the test with the counterexample."""
    report = run(scenario)
    if report.violation is not None:
        pytest.fail(explain(report), pytrace=False)
    return report


def test_every_fault_of_the_table_is_registered():
    assert sorted(FAULTS) == list(range(1, 62))


@pytest.mark.parametrize("number", SMALL)
def test_single_fault_is_injected_and_violates_nothing(number):
    reports = [run_without_violation(Scenario(seed, (number,))) for seed in range(4)]
    assert sum(report.injected.get(str(number), 0) for report in reports) > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(FAULTS))
def test_single_fault_reaches_the_rare_states_that_it_expects(number):
    seeds = range(100, 104) if number in LARGE else range(100, 100 + SEEDS)
    reports = [run_without_violation(Scenario(seed, (number,))) for seed in seeds]
    observed = set().union(*(report.observed for report in reports))
    assert set(FAULTS[number].expects) <= observed
    assert sum(report.injected.get(str(number), 0) for report in reports) > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", SMALL)
def test_fault_with_duplicate_deliveries_violates_nothing(number):
    for seed in range(200, 206):
        run_without_violation(Scenario(seed, (number,), duplicates=2))


@pytest.mark.slow
@pytest.mark.parametrize("number", SMALL)
def test_fault_with_a_crash_after_any_port_call_violates_nothing(number):
    """Crash at every third call, shifted by fault; a soak crashes at all of them."""
    calls = range(1 + number % STRIDE, MAX_CALLS, STRIDE)
    reports = [
        run_without_violation(crash_scenario(seed, number, call))
        for seed, call in enumerate(calls, 300)
    ]
    assert any(report.injected.get("53") for report in reports)


@pytest.mark.slow
def test_ten_thousand_redriven_messages_cost_one_query_per_order():
    report = run_without_violation(Scenario(1, (49,), orders=1000))
    assert report.injected["49"] == 9000
    assert set(report.ends.values()) == {"collected"}

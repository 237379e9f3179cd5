"""Every named fault: alone, with duplicate deliveries, with a crash at every step."""

import pytest

from simulation.faults import FAULTS
from simulation.run import Scenario, run
from simulation.scenarios import LARGE, MOST_CALLS, SMALL, crash
from simulation.shrink import explain

SEEDS = 24
STRIDE = 3


def held(scenario):
    """Run it, and fail with what broke, the shortest trace and the command."""
    report = run(scenario)
    if report.violation is not None:
        pytest.fail(explain(report), pytrace=False)
    return report


def test_all_sixty_are_here():
    assert sorted(FAULTS) == list(range(1, 61))


@pytest.mark.parametrize("number", SMALL)
def test_a_fault_alone_happens_and_breaks_nothing(number):
    reports = [held(Scenario(seed, (number,))) for seed in range(4)]
    assert sum(report.met.get(str(number), 0) for report in reports) > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", sorted(FAULTS))
def test_a_fault_brings_about_the_rare_states_that_it_claims(number):
    seeds = range(100, 104) if number in LARGE else range(100, 100 + SEEDS)
    reports = [held(Scenario(seed, (number,))) for seed in seeds]
    seen = set().union(*(report.seen for report in reports))
    assert set(FAULTS[number].sees) <= seen
    assert sum(report.met.get(str(number), 0) for report in reports) > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", SMALL)
def test_a_fault_with_duplicate_deliveries_breaks_nothing(number):
    for seed in range(200, 206):
        held(Scenario(seed, (number,), duplicates=2))


@pytest.mark.slow
@pytest.mark.parametrize("number", SMALL)
def test_a_fault_with_a_crash_after_any_port_call_breaks_nothing(number):
    """Each fault at every third call, each at others: a soak has them all."""
    calls = range(1 + number % STRIDE, MOST_CALLS, STRIDE)
    reports = [held(crash(seed, number, call)) for seed, call in enumerate(calls, 300)]
    assert any(report.met.get("53") for report in reports)


@pytest.mark.slow
def test_ten_thousand_messages_redriven_cost_one_call_an_order():
    report = held(Scenario(1, (49,), orders=1000))
    assert report.met["49"] == 9000
    assert set(report.ends.values()) == {"collected"}

"""Shrinks a failing run to a minimal counterexample, and describes it."""

from simulation.engine.run import RunReport, run
from simulation.engine.scenario import smaller_scenarios

MAX_RUNS = 200
SHOWN_LINES = 40


def shrink(report: RunReport) -> RunReport:
    """Leave out of the scenario what the violation does not need."""
    assert report.violation is not None
    smallest, runs = report, 0
    while runs < MAX_RUNS:
        for scenario in smaller_scenarios(smallest.scenario):
            runs += 1
            attempt = run(scenario)
            if (
                attempt.violation
                and attempt.violation.invariant == report.violation.invariant
            ):
                smallest = attempt
                break
        else:
            break
    return smallest


def explain(report: RunReport) -> str:
    """Describe a failing run: the violation, the counterexample, and its command."""
    smallest = shrink(report)
    assert report.violation is not None
    assert smallest.violation is not None
    skipped = max(0, len(smallest.trace) - SHOWN_LINES)
    return "\n".join(
        [
            f"{report.violation.invariant} violated: {report.violation.what}",
            f"seed {report.scenario.seed}: {report.scenario.command()}",
            f"counterexample: {smallest.violation.what}, {len(smallest.trace)} lines:",
            f"  {smallest.scenario.command()}",
            *([f"  … {skipped} lines before"] if skipped else []),
            *(f"  {line}" for line in smallest.trace[-SHOWN_LINES:]),
        ]
    )

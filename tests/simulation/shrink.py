"""From a failing run to the smallest one that fails alike, told so that it repeats."""

from simulation.run import Report, run
from simulation.scenarios import smaller

MOST_RUNS = 200
SHOWN_LINES = 40


def shrink(report: Report) -> Report:
    """Leave out what is not needed for the violation; give the least report."""
    assert report.violation is not None
    least, runs = report, 0
    while runs < MOST_RUNS:
        for scenario in smaller(least.scenario):
            runs += 1
            tried = run(scenario)
            if (
                tried.violation
                and tried.violation.invariant == report.violation.invariant
            ):
                least = tried
                break
        else:
            break
    return least


def explain(report: Report) -> str:
    """Tell a failing run: what broke, the end of its shortest trace, the command."""
    least = shrink(report)
    assert report.violation is not None
    assert least.violation is not None
    skipped = max(0, len(least.trace) - SHOWN_LINES)
    return "\n".join(
        [
            f"{report.violation.invariant} broken: {report.violation.what}",
            f"seed {report.scenario.seed}: {report.scenario.command()}",
            f"least: {least.violation.what}, {len(least.trace)} calls and facts:",
            f"  {least.scenario.command()}",
            *([f"  … {skipped} lines before"] if skipped else []),
            *(f"  {line}" for line in least.trace[-SHOWN_LINES:]),
        ]
    )

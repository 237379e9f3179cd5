"""Runs all checks and prints their results."""

from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.doctor.check import NOTE, PROBLEM, CheckResult
from kycourier_devkit.doctor.service import check_service
from kycourier_devkit.doctor.settings import check_settings


def run_doctor(context: CliContext) -> int:
    """Runs the checks. Returns the exit code: 1 if there is a problem."""
    results = list(check_settings(context))
    if any(result.state == PROBLEM for result in results):
        skipped = "skipped: correct the settings first"
        results.append(CheckResult(NOTE, "other checks", skipped))
    else:
        results += check_service(context)
    rows = [(result.state, result.name, result.detail) for result in results]
    context.terminal.table(("", "check", "result"), rows)
    problems = sum(result.state == PROBLEM for result in results)
    if problems:
        noun = "problem" if problems == 1 else "problems"
        context.terminal.problem(f"{problems} {noun} found.")
        return 1
    context.terminal.line("No problems found.")
    return 0

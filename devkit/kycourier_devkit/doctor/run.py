"""Runs all checks and prints their results."""

import msgspec

from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.doctor.check import NOTE, PROBLEM, WARNING, CheckResult
from kycourier_devkit.doctor.service import check_service
from kycourier_devkit.doctor.settings import check_settings


def run_doctor(context: CliContext, *, is_live: bool, as_json: bool) -> int:
    """Runs the checks.

    Args:
        context: The CLI context.
        is_live: Whether to request a token where the platform's rules allow one.
        as_json: Whether to print an object for each check instead of a table.

    Returns:
        The exit code: 1 if no order can be collected now.
    """
    results = list(check_settings(context))
    if any(result.state == PROBLEM for result in results):
        skipped = "skipped: correct the settings first"
        results.append(CheckResult(NOTE, "other checks", skipped))
    else:
        results += check_service(context, is_live=is_live)
    problems = _count(results, PROBLEM, "problem")
    if as_json:
        for result in results:
            context.terminal.line(msgspec.json.encode(result).decode())
        return 1 if problems else 0
    rows = [(result.state, result.name, result.detail) for result in results]
    context.terminal.table(("", "check", "result"), rows)
    warnings = _count(results, WARNING, "warning")
    if problems:
        found = " and ".join(filter(None, (problems, warnings)))
        context.terminal.problem(f"{found} found.")
        return 1
    context.terminal.line(f"No problem and {warnings} found." if warnings else _NONE)
    return 0


_NONE = "No problems found."


def _count(results: list[CheckResult], state: str, noun: str) -> str:
    """Returns `2 problems`; empty for none."""
    count = sum(result.state == state for result in results)
    return f"{count} {noun}{'' if count == 1 else 's'}" if count else ""

"""Refreshes the ticket pair as the timer does, and prints its age."""

import msgspec

from kycourier.core.causes import Problem
from kycourier.triggers.timer import RefreshTimer
from kycourier.usecases.deadlines import Deadline
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.orders.cause_hints import describe_problem, hint_for
from kycourier_devkit.orders.container import REFRESH_SETTINGS, open_container

_SECONDS = 20.0


def refresh_now(context: CliContext) -> int:
    """Refreshes the pair if it is due.

    Returns:
        The exit code: 1 if the platform issued no new pair.
    """
    container = open_container(context, REFRESH_SETTINGS)
    timer = RefreshTimer(
        container.app_id,
        refresher=container.refresher,
        stores=container.stores,
        deps=container.deps,
    )
    outcome = timer.handle(Deadline(container.clock.monotonic, seconds=_SECONDS))
    terminal = context.terminal
    if "generation" not in outcome:
        terminal.line("KYCOURIER_TICKET names another source: nothing to refresh.")
        return 0
    if outcome["generation"] is not None:
        terminal.line(
            f"generation {outcome['generation']}, {outcome['ticket']},"
            f" {outcome['age_seconds']} s old"
        )
    if "problem" not in outcome:
        return 0
    problem = msgspec.convert(outcome["problem"], Problem)
    terminal.problem(f"No new pair was obtained: {describe_problem(problem)}.")
    terminal.problem(f"{problem.cause.value}: {hint_for(problem.cause, container)}")
    return 1

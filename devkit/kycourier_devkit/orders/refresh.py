"""Refresh the ticket pair as the timer does, and say how it stands."""

from kycourier.adapters.triggers.timer import RefreshTimer
from kycourier.core.errors import UpstreamUnreachable
from kycourier.usecases.time_left import TimeLeft
from kycourier_devkit.local import SANDBOX_URL
from kycourier_devkit.orders.parts import (
    REFRESH_NEEDS,
    SANDBOX_HINT,
    calls_sandbox,
    open_parts,
)
from kycourier_devkit.session import Session

_SECONDS = 20.0


def refresh_now(session: Session) -> int:
    """Refresh if it is due; give the exit code."""
    parts = open_parts(session, REFRESH_NEEDS)
    timer = RefreshTimer(
        parts.app_id,
        refresher=parts.refresher,
        state=parts.state,
        ambient=parts.ambient,
    )
    answer = timer.answer(TimeLeft(parts.clock.monotonic, seconds=_SECONDS))
    screen = session.screen
    if "generation" not in answer:
        screen.line("The ticket is kept elsewhere: there is nothing to refresh.")
        return 0
    if answer["generation"] is not None:
        screen.line(
            f"generation {answer['generation']}, {answer['ticket']},"
            f" {answer['age_seconds']} s old"
        )
    if "problem" not in answer:
        return 0
    screen.problem(f"The platform gave no new pair: {answer['problem']}.")
    if answer["problem"] == UpstreamUnreachable.code and calls_sandbox(parts):
        screen.problem(f"It is at {SANDBOX_URL}: {SANDBOX_HINT}")
    return 1

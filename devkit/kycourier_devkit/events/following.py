"""Calls a function for each new event until Ctrl-C."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NoReturn

from kycourier.core.errors import StoreUnavailableError
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.events.follower import EventFollower
from kycourier_devkit.events.selection import EventFilter
from kycourier_devkit.events.stored import EventRows, StoredEvent

_LOCAL_POLL_SECONDS = 0.5
_DEPLOYED_POLL_SECONDS = 2.0


def follow(
    context: CliContext,
    rows: EventRows,
    wanted: EventFilter,
    handle: Callable[[StoredEvent], None],
    *,
    since: datetime,
    but: AbstractSet[str] = frozenset(),
    after_poll: Callable[[], None] = lambda: None,
) -> NoReturn:
    """Calls `handle` for each event from `since` on, in order.

    A store that fails is reported once, and polled again.

    Args:
        context: The CLI context.
        rows: Where events are found.
        wanted: Which events.
        handle: What is called.
        since: When the first event may have been made.
        but: The ids of events to leave out.
        after_poll: What is called after each poll, also one without an event.
    """
    follower, is_failing = EventFollower(rows, since=since), False
    while True:
        try:
            found = follower.poll()
        except StoreUnavailableError as error:
            if not is_failing:
                context.terminal.problem(f"{error}: still trying")
            found, is_failing = [], True
        else:
            is_failing = False
        for stored in found:
            if stored.event.id in but:
                continue
            if wanted.matches(stored.event, at=stored.made_at):
                handle(stored)
        after_poll()
        context.clock.sleep(
            _DEPLOYED_POLL_SECONDS if context.is_deployed else _LOCAL_POLL_SECONDS
        )

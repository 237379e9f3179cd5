"""A follower finds each event once, and goes on after a failure of the store."""

from collections import deque
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from kycourier.core.errors import StoreUnavailableError
from kycourier_devkit.cli.context import CliContext
from kycourier_devkit.cli.terminal import Terminal
from kycourier_devkit.events import following
from kycourier_devkit.events.selection import EventFilter
from kycourier_devkit.events.stored import StoredEvent
from support.fakes import START, FakeClock
from support.sample_records import EVENT, draft


class ScriptedFollower:
    """Returns or raises what a test scripted, then stops the command."""

    def __init__(self, *polls):
        self._polls = deque(polls)

    def poll(self):
        if not self._polls:
            raise KeyboardInterrupt
        found = self._polls.popleft()
        if isinstance(found, Exception):
            raise found
        return found


def test_store_that_fails_is_reported_once_and_polled_again(monkeypatch):
    event = StoredEvent(draft(), EVENT)
    down = StoreUnavailableError("database is locked")
    script = ScriptedFollower([], down, down, [event], down, [])
    monkeypatch.setattr(following, "EventFollower", lambda *_, **__: script)
    err, handled = StringIO(), []
    context = CliContext({}, Path(), Terminal(StringIO(), err), FakeClock())
    with pytest.raises(KeyboardInterrupt):
        following.follow(
            context, None, EventFilter(), handled.append, since=START - timedelta(1)
        )
    assert handled == [event]
    line = "store_unavailable: database is locked: still trying\n"
    assert err.getvalue() == 2 * line

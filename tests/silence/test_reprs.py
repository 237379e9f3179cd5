"""What holds an environment or a stored pair does not show it."""

from datetime import datetime, timezone
from io import StringIO
from pathlib import Path

import pytest

from fakes import FakeClock
from kycourier.adapters.aws.items import Item
from kycourier.adapters.surroundings import Surroundings
from kycourier.core import ticket
from kycourier_devkit.screen import Screen
from kycourier_devkit.session import Session

CANARY = "canary4111"
ENVIRON = {"AWS_SECRET_ACCESS_KEY": CANARY, "MY_SECRET": CANARY}


def stored_pair() -> object:
    return ticket._Record(
        generation=1,
        obtained_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        expires_in_seconds=60,
        token=CANARY,
        ticket=CANARY,
    )


def session() -> Session:
    return Session(
        environ=ENVIRON,
        folder=Path("/"),
        screen=Screen(StringIO(), StringIO()),
        clock=FakeClock(),
    )


HOLDERS = {
    "surroundings": lambda: Surroundings(clock=FakeClock(), environ=ENVIRON),
    "item": lambda: Item({"pair": {"B": CANARY.encode()}}),
    "stored pair": stored_pair,
    "session": session,
}


@pytest.mark.parametrize("name", HOLDERS)
def test_holders_of_secrets_do_not_show_them(name):
    assert CANARY not in repr([HOLDERS[name]()])

"""Fixture: one app in memory."""

import pytest

from support.rigs.in_memory import InMemoryApp


@pytest.fixture
def app() -> InMemoryApp:
    return InMemoryApp()

"""Fixture: the API of the app in memory."""

import pytest

from support.rigs.api_client import ApiClient
from support.rigs.in_memory import InMemoryApp


@pytest.fixture
def api(app: InMemoryApp) -> ApiClient:
    return ApiClient(app)

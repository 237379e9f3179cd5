"""Opens an adapter that must not start, and returns the reason."""

from collections.abc import Callable

import pytest

from kycourier.adapters import registry
from kycourier.adapters.context import AdapterContext
from kycourier.core.errors import SettingError
from kycourier.settings.resource_url import ResourceUrl

STATE = ResourceUrl("redis", "localhost")  # signs no links of these adapters


def start_failure(setting: str, url: str, context: AdapterContext) -> str:
    """Return why a setting's resource cannot be used, as the setting error states it.

    Assert that the error names the setting, but not the resource, and that it chains no
    library exception.
    """
    resource = ResourceUrl(*url.split("://", 1))
    openers: dict[str, Callable[[], object]] = {
        "APP_SECRET": lambda: registry.open_secret("app_secret", resource, context),
        "EVENTS": lambda: registry.open_events(resource, context),
        "EVIDENCE": lambda: registry.open_evidence(resource, context, state=STATE),
        "QUEUE": lambda: registry.open_queue(resource, context),
        "STATE": lambda: registry.open_stores(resource, context),
    }
    with pytest.raises(SettingError) as failure:
        openers[setting]()
    assert failure.value.variable == f"KYCOURIER_{setting}"
    assert failure.value.__context__ is None
    assert resource.rest not in str(failure.value)
    return failure.value.why.removeprefix("cannot be used: ")

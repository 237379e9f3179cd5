"""The timing page is generated from the constants, and all durations are there."""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from kycourier.core import retry, timing
from kycourier.core.circuit_breaker import (
    BreakerRecord,
    CallResult,
    Signal,
    after_call,
)
from kycourier_devkit.reference.timing_table import PAGE, build_page

PACKAGE = Path(timing.__file__).parents[1]
# A zero and the resolution of timestamps are no durations that anything works by.
DURATION = re.compile(
    r"(?m)^_?[A-Z][A-Z0-9_]*(_SECONDS| = timedelta\((?!0|microseconds)).*"
)
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == build_page()


def test_only_durations_have_a_unit():
    page = build_page()
    for row in ("`WEBHOOK_SECONDS` | 10 s |", "`WEBHOOK_LATE_TRIES` | 6 |"):
        assert row in page


def test_no_other_module_defines_a_duration():
    found = {
        f"{path.relative_to(PACKAGE)}: {match.group()}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "timing.py"
        for match in DURATION.finditer(path.read_text(encoding="utf-8"))
        if " = " in match.group()
    }
    assert not found


def _opened_for():
    breaker = after_call(
        BreakerRecord(openings=20), CallResult(Signal.THROTTLED), now=NOW, draw=1.0
    )
    return breaker.open_until - NOW


CAPS = {
    "ORDER_BACKOFF_MAX": ("retry", lambda: retry.after_failure(20, draw=1.0)),
    "BREAKER_OPEN_MAX": ("circuit_breaker", _opened_for),
    "RETRY_AFTER_MAX": ("retry", lambda: retry.parse_retry_after("86400")),
}


@pytest.mark.parametrize("name", CAPS)
def test_each_cap_limits_its_own_duration_alone(monkeypatch, name):
    longer = timedelta(minutes=10)
    monkeypatch.setattr(f"kycourier.core.{CAPS[name][0]}.{name}", longer)
    durations = {cap: measure() for cap, (_, measure) in CAPS.items()}
    assert durations == dict.fromkeys(CAPS, timedelta(minutes=5)) | {name: longer}

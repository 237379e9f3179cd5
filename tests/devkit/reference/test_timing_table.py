"""The timing page is generated from the constants, and all durations are there."""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from kycourier.core import retry, timing
from kycourier.core.circuit_breaker import BreakerRecord, Signal, after_call
from kycourier_devkit.reference.timing_table import PAGE, build_page

PACKAGE = Path(timing.__file__).parents[1]
# A zero and the resolution of timestamps are no durations that anything works by.
DURATION = re.compile(
    r"(?m)^_?[A-Z][A-Z0-9_]*(_SECONDS| = timedelta\((?!0|microseconds)).*"
)
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def test_the_page_is_current():
    assert PAGE.read_text(encoding="utf-8") == build_page()


def test_the_page_shows_units_that_people_read():
    page = build_page()
    assert "| `ORDER_BACKOFF_MAX` | 5 min |" in page
    assert "| `AWS_PAUSES_SECONDS` | 1 s, 2 s |" in page
    assert "| `POISON_RETENTION` | 90 d |" in page


def test_no_other_module_defines_a_duration():
    found = {
        f"{path.relative_to(PACKAGE)}: {match.group()}"
        for path in PACKAGE.rglob("*.py")
        if path.name != "timing.py"
        for match in DURATION.finditer(path.read_text(encoding="utf-8"))
        if " = " in match.group()
    }
    assert not found


@pytest.mark.parametrize(
    "name", ["ORDER_BACKOFF_MAX", "BREAKER_OPEN_MAX", "RETRY_AFTER_MAX"]
)
def test_each_cap_limits_its_own_duration_alone(monkeypatch, name):
    longer = {
        "ORDER_BACKOFF_MAX": "retry",
        "BREAKER_OPEN_MAX": "circuit_breaker",
        "RETRY_AFTER_MAX": "retry",
    }
    monkeypatch.setattr(f"kycourier.core.{longer[name]}.{name}", timedelta(minutes=10))
    caps = {
        "ORDER_BACKOFF_MAX": retry.after_failure(20, draw=1.0),
        "BREAKER_OPEN_MAX": _opened_for(),
        "RETRY_AFTER_MAX": retry.parse_retry_after("86400"),
    }
    expected = dict.fromkeys(caps, timedelta(minutes=5)) | {name: timedelta(minutes=10)}
    assert caps == expected


def _opened_for():
    breaker = after_call(
        BreakerRecord(openings=20),
        Signal.THROTTLED,
        now=NOW,
        min_open=timedelta(0),
        draw=1.0,
    )
    return breaker.open_until - NOW

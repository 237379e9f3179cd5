"""Events are selected by time and type."""

from datetime import datetime, timezone

import pytest
from msgspec.structs import replace

from kycourier_devkit.errors import UsageError
from kycourier_devkit.events.selection import EventFilter, parse_time, parse_type
from support.fakes import START
from support.sample_records import EVENT

NOW = datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("now", "2026-03-01T12:00:00.000005+00:00"),
        ("30s", "2026-03-01T11:59:30.000005+00:00"),
        ("90m", "2026-03-01T10:30:00.000005+00:00"),
        ("12h", "2026-03-01T00:00:00.000005+00:00"),
        ("1d", "2026-02-28T12:00:00.000005+00:00"),
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("2026-01-31T08:00:00Z", "2026-01-31T08:00:00+00:00"),
        ("2026-01-31T08:00:00.123456z", "2026-01-31T08:00:00.123456+00:00"),
        ("2026-01-31T08:00:00+08:00", "2026-01-31T00:00:00+00:00"),
    ],
)
def test_time_is_an_age_a_date_or_an_instant(text, at):
    assert parse_time(text, "--since", now=NOW).isoformat() == at


@pytest.mark.parametrize(
    "text",
    ["", "1", "d", "1w", "-1d", "١d", "9999999d", "999999d", "2026-13-01", "tomorrow",
     "2026-01-31T08:00:00", "2026-01-31T25:00:00Z", "1d\n"],
)  # fmt: skip
def test_other_time_is_refused_by_the_option_name(text):
    with pytest.raises(UsageError, match=r"^--until: must be an age"):
        parse_time(text, "--until", now=NOW)


def test_type_is_an_outcome_or_a_whole_type():
    for text in ("collected", "kycourier.bank_card.parked.v1"):
        assert parse_type(text) == text
    for text in ("waiting", "bank_card", "kycourier.passport.parked.v1", ""):
        with pytest.raises(UsageError, match=r"^--type: must be collected, "):
            parse_type(text)


@pytest.mark.parametrize(
    ("wanted", "matches"),
    [
        (EventFilter(), True),
        (EventFilter(since=START), True),
        (EventFilter(until=START), False),
        (EventFilter(type="collected"), True),
        (EventFilter(type=EVENT.type), True),
        (EventFilter(type="parked"), False),
        (EventFilter(since=NOW), False),
        (EventFilter(until=NOW, type="collected"), True),
    ],
)
def test_since_is_included_and_until_is_not(wanted, matches):
    event = replace(EVENT, created_at=START)
    assert wanted.matches(event, at=START) is matches

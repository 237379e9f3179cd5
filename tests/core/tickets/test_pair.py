"""A ticket pair is fresh, stale or expired by its age and lifetime."""

from datetime import timedelta

import msgspec
import pytest
from msgspec.structs import replace

from kycourier.core.tickets.pair import (
    Freshness,
    _Record,
    encode_pair,
    freshness,
)
from support.sample_records import make_pair


@pytest.mark.parametrize(
    ("lifetime", "age", "expected"),
    [
        (3600, 0, Freshness.FRESH),
        (3600, 19 * 60 - 1, Freshness.FRESH),
        (3600, 19 * 60, Freshness.STALE),
        (3600, 59 * 60 - 1, Freshness.STALE),
        (3600, 59 * 60, Freshness.EXPIRED),
        (3600, -600, Freshness.FRESH),
        (100, 49, Freshness.FRESH),
        (100, 50, Freshness.STALE),
        (100, 74, Freshness.STALE),
        (100, 75, Freshness.EXPIRED),
        (1, 0, Freshness.FRESH),
    ],
)
def test_freshness_depends_on_age_and_lifetime(lifetime, age, expected):
    pair = replace(make_pair(), expires_in=timedelta(seconds=lifetime))
    assert freshness(pair, age=timedelta(seconds=age)) is expected


def test_responses_show_freshness_in_these_words():
    assert [state.value for state in Freshness] == ["fresh", "stale", "expired"]


def test_repr_of_a_stored_pair_shows_only_its_generation():
    record = msgspec.json.decode(encode_pair(make_pair(7)), type=_Record)
    assert repr(record) == "_Record(generation=7)"

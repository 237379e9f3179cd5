"""How long a pair may be used, and how it is kept."""

from datetime import datetime, timedelta, timezone

import msgspec
import pytest

from kycourier.core.errors import NewerSchema, StoreUnavailable
from kycourier.core.hidden import Secret
from kycourier.core.ticket import (
    Freshness,
    TicketPair,
    _Record,
    decode_pair,
    encode_pair,
    freshness,
    refresh_lease,
)

AT = datetime(2026, 1, 1, tzinfo=timezone.utc)


def pair(lives_seconds=3600):
    return TicketPair(
        generation=7,
        obtained_at=AT,
        expires_in=timedelta(seconds=lives_seconds),
        token=Secret("token"),
        ticket=Secret("ticket"),
    )


@pytest.mark.parametrize(
    ("lives", "age", "expected"),
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
def test_freshness_by_age_and_life(lives, age, expected):
    assert freshness(pair(lives), age=timedelta(seconds=age)) is expected


def test_freshness_is_told_in_answers_by_these_words():
    assert [state.value for state in Freshness] == ["fresh", "stale", "expired"]


def test_all_releases_of_one_app_contend_for_the_same_refresh_lease():
    assert refresh_lease("IDA1") == "refresh/IDA1"


def test_a_kept_pair_comes_back_and_carries_its_schema():
    kept = encode_pair(pair())
    assert decode_pair(kept) == pair()
    assert msgspec.json.decode(kept)["schema"] == 1


def test_a_pair_of_a_newer_release_is_left():
    newer = msgspec.json.encode({"schema": 2, "anything": True})
    with pytest.raises(NewerSchema) as caught:
        decode_pair(newer)
    assert caught.value.reason == "ticket"


@pytest.mark.parametrize("kept", [b"", b"{", b'{"schema":1}', b"[]"])
def test_a_damaged_pair_is_told_without_its_text(kept):
    with pytest.raises(StoreUnavailable) as caught:
        decode_pair(kept)
    assert caught.value.__context__ is None
    assert caught.value.reason == "ticket record unreadable"


def test_a_stored_pair_shows_its_generation_alone():
    record = msgspec.json.decode(encode_pair(pair()), type=_Record)
    assert repr(record) == "_Record(generation=7)"

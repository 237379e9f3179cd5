"""A signed call takes effect once, and never after a later one."""

from datetime import timedelta

import pytest

from kycourier.core.orders.record import OrderState
from kycourier.core.orders.replay_guard import is_repeated, record_call
from support.fakes import START
from support.sample_records import draft

SECOND = timedelta(seconds=1)
PARKED = draft(state=OrderState.PARKED)


@pytest.mark.parametrize("reopens", [False, True])
@pytest.mark.parametrize("record", [draft(), PARKED], ids=["registered", "parked"])
def test_first_call_is_not_repeated(record, reopens):
    assert not is_repeated(record, reopens=reopens, signed_at=START)


@pytest.mark.parametrize("reopens", [False, True])
@pytest.mark.parametrize(
    ("later", "expected"), [(-SECOND, True), (0 * SECOND, True), (SECOND, False)]
)
@pytest.mark.parametrize("record", [draft(), PARKED], ids=["registered", "parked"])
def test_same_and_earlier_calls_are_repeated(record, later, expected, reopens):
    called = record_call(record, reopens=reopens, signed_at=START)
    signed_at = START + later
    assert is_repeated(called, reopens=reopens, signed_at=signed_at) is expected


def test_plain_call_does_not_prevent_an_earlier_signed_reopening():
    called = record_call(PARKED, reopens=False, signed_at=START)
    assert not is_repeated(called, reopens=True, signed_at=START - SECOND)
    assert is_repeated(called, reopens=False, signed_at=START - SECOND)


def test_reopening_of_an_order_that_is_not_parked_is_a_plain_call():
    called = record_call(draft(), reopens=False, signed_at=START)
    assert is_repeated(called, reopens=True, signed_at=START)


@pytest.mark.parametrize("reopens", [False, True])
def test_unsigned_call_is_never_repeated_and_changes_nothing(reopens):
    called = record_call(draft(), reopens=True, signed_at=START)
    assert not is_repeated(called, reopens=reopens, signed_at=None)
    assert record_call(called, reopens=reopens, signed_at=None) == called


def test_row_keeps_when_the_newest_call_was_signed():
    called = record_call(draft(), reopens=False, signed_at=START)
    assert (called.called_at, called.reopened_at) == (START, None)
    earlier = record_call(called, reopens=True, signed_at=START - SECOND)
    assert (earlier.called_at, earlier.reopened_at) == (START, START - SECOND)

"""Dates as they are printed: read where they are clear, kept as text otherwise."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.documents.printed_dates import (
    is_expired,
    parse_valid_until,
    printable_date,
)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("12/2024", "2024-12"),
        ("12/2024\n", "2024-12"),
        ("12/1999", "1999-12"),
        ("2024-12", "2024-12"),
        ("2024/01", "2024-01"),
        ("2024.1", "2024-01"),
        ("1/2024", "2024-01"),
        (" 09 / 2031 ", "2031-09"),
        ("09/31", "2031-09"),
        ("09-00", "2000-09"),
        ("202409", "2024-09"),
        ("1\u30002024", None),
        ("31/09", None),
        ("9/31", None),
        ("13/2024", None),
        ("00/2024", None),
        ("122024", None),
        ("2412", None),
        ("12/1824", None),
        ("12/9999", None),
        ("X12/2024", None),
        ("１２/2024", None),
        ("长期", None),
        ("", None),
    ],
)
def test_month_is_read_only_if_it_is_certain(text, month):
    assert parse_valid_until(text) == month


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("12/2024", "12/2024"),
        ("长期", "长期"),
        (" VALID 12.24 ", "VALID 12.24"),
        ("<b>12/24</b>", "b12/24/b"),
        ("12\n24", "1224"),
        ("a" * 40, "a" * 32),
        ("a" * 31 + " b", "a" * 31),
        ("12345678901", "12345678901"),
        ("123456789012", None),
        ("6225 8800 0000 1234", None),
        (" " * 30 + "6225880000001234", None),
        ("６２２５８８００００００１２３４", None),
        ("<>", None),
        ("", None),
    ],
)
def test_text_keeps_safe_characters_and_never_a_card_number(text, shown):
    assert printable_date(text) == shown


@given(st.text())
def test_shown_text_is_short_safe_and_has_few_digits(text):
    shown = printable_date(text)
    if shown is not None:
        assert 0 < len(shown) <= 32
        assert sum(map(str.isdigit, shown)) <= 11
        assert shown == printable_date(shown)
        assert not set(shown) & set("<>&\"'\\\n")


@pytest.mark.parametrize(
    ("month", "recognized_at", "expired"),
    [
        ("2024-12", "2024-12-31T23:59:59+08:00", False),
        ("2024-12", "2025-01-01T00:00:00+08:00", True),
        ("2024-12", "2024-12-31T16:00:00+00:00", True),
        ("2024-02", "2024-02-29T12:00:00+08:00", False),
        (None, "2025-01-01T00:00:00+08:00", None),
        ("2024-12", None, None),
    ],
)
def test_month_ends_in_china(month, recognized_at, expired):
    instant = recognized_at and datetime.fromisoformat(recognized_at)
    assert is_expired(month, instant) is expired

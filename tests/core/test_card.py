"""What is shown of a card number, and what is said of it."""

import hashlib
import hmac
import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.card import (
    CHINA,
    FingerprintKey,
    digits_of,
    fingerprint,
    is_expired,
    is_luhn_valid,
    mask,
    parse_fingerprint_key,
    parse_valid_until,
)
from kycourier.core.hidden import CardNumber, Secret

KEY = FingerprintKey("v1", Secret("k" * 32))
digits = st.text("0123456789", max_size=40)


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("6225881234561234", "622588******1234"),
        ("4111 1111-1111 1111", "411111******1111"),
        ("6225880000000000000", "622588*********0000"),
        ("６２２５８８００００００１２３４", "622588******1234"),
        ("411111111111111", "***********1111"),
        ("12345", "*2345"),
        ("1234", "****"),
        ("622588xxxxxx1234", "******1234"),
        ("xxxxxxxxxxxxxxxxxxx", None),
        ("", None),
        ("٤١١١", None),
    ],
)
def test_mask(number, masked):
    assert mask(CardNumber(number)) == masked


def test_ascii_and_full_width_digits_count_and_their_neighbours_do_not():
    number = CardNumber("/0123456789:／０１２３４５６７８９：")
    assert digits_of(number).reveal() == "0123456789" * 2


@given(digits)
def test_mask_shows_six_and_four_at_most_and_hides_six_or_all_but_four(number):
    masked = mask(CardNumber(number)) or ""
    shown = len(masked) - masked.count("*")
    assert len(masked) == len(number)
    assert shown <= 4 or (shown <= 10 and masked.count("*") >= 6)
    assert re.fullmatch(r"[0-9]{0,6}\*+[0-9]{0,4}|", masked)


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("4111111111111111", True),
        ("4111111111111112", False),
        ("5555 5555 5555 4444", True),
        ("378282246310005", True),
        ("0", True),
        ("xxxx", None),
    ],
)
def test_luhn_is_a_signal(number, valid):
    assert is_luhn_valid(CardNumber(number)) is valid


@pytest.mark.parametrize("digit", range(10))
def test_luhn_adds_the_digits_of_each_doubled_digit(digit):
    check = -sum(int(part) for part in str(2 * digit)) % 10
    valid = [is_luhn_valid(CardNumber(f"{digit}{last}")) for last in range(10)]
    assert valid == [last == check for last in range(10)]


@given(st.text("0123456789", min_size=2, max_size=40), st.integers(1, 9), st.data())
def test_luhn_finds_any_single_wrong_digit(number, change, data):
    at = data.draw(st.integers(0, len(number) - 1))
    other = str((int(number[at]) + change) % 10)
    changed = number[:at] + other + number[at + 1 :]
    both = is_luhn_valid(CardNumber(number)) and is_luhn_valid(CardNumber(changed))
    assert not both


def test_fingerprint_is_keyed_by_version_and_sees_digits_alone():
    digest = hmac.new(b"k" * 32, b"4111111111111111", hashlib.sha256).hexdigest()
    assert fingerprint(CardNumber("4111-1111-1111-1111"), KEY) == f"v1:{digest}"
    assert hashlib.sha256(b"4111111111111111").hexdigest() != digest
    assert fingerprint(CardNumber("xxxx"), KEY) is None


@pytest.mark.parametrize(
    ("kept", "version", "key"),
    [
        ("k" * 32, "v1", "k" * 32),
        ("k" * 32 + "\n", "v1", "k" * 32),
        (f"v1={'a' * 32}\nv2={'b' * 40}\n", "v2", "b" * 40),
        (f"v1234={'a' * 32}", "v1234", "a" * 32),
    ],
)
def test_the_last_fingerprint_key_is_in_use(kept, version, key):
    found = parse_fingerprint_key(Secret(kept))
    assert (found.version, found.key.reveal()) == (version, key)


@pytest.mark.parametrize(
    "kept", ["", "k" * 31, f"v1={'a' * 31}", f"{'a' * 32}\n{'b' * 32}"]
)
def test_a_short_or_unclear_fingerprint_key_is_none(kept):
    assert parse_fingerprint_key(Secret(kept)) is None


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("12/2024", "2024-12"),
        ("2024-12", "2024-12"),
        ("2024/01", "2024-01"),
        (" 12/2024 ", "2024-12"),
        ("12/1999", "1999-12"),
        ("X12/2024", None),
        ("13/2024", None),
        ("00/2024", None),
        ("12/24", None),
        ("长期", None),
        ("", None),
        ("12/2024\n", None),
        ("１２/2024", None),
        ("12/9999", None),
    ],
)
def test_valid_until_is_read_and_never_invented(text, month):
    assert parse_valid_until(text) == month


def china(*when):
    return datetime(*when, tzinfo=CHINA)


@pytest.mark.parametrize(
    ("month", "at", "expired"),
    [
        ("2024-12", china(2024, 12, 31, 23, 59, 59), False),
        ("2024-12", china(2025, 1, 1), True),
        ("2024-02", china(2024, 2, 29, 12), False),
        ("2024-12", datetime(2024, 12, 31, 16, tzinfo=timezone.utc), True),
        (None, china(2025, 1, 1), None),
        ("2024-12", None, None),
    ],
)
def test_expired_compares_the_months_end_with_the_day_in_china(month, at, expired):
    assert is_expired(month, at) is expired


def test_china_is_utc_plus_eight():
    assert CHINA.utcoffset(None) == timedelta(hours=8)

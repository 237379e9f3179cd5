"""A bank card is queried, masked and checked; its number is never shown in full."""

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from kycourier.core.documents.bank_card import BankCard, CardFields
from kycourier.core.documents.bank_card_numbers import (
    CardNumber,
    digits_of,
    is_luhn_valid,
    mask_number,
)
from kycourier.core.documents.recognition import Recognition
from kycourier.core.fingerprints import FingerprintKey, fingerprint
from kycourier.core.redaction import Secret
from kycourier.core.wire.lenient_fields import CHINA

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
        ("622588xxxxxx1234", None),
        ("xxxxxxxxxxxxxxxxxxx", None),
        ("", None),
        ("٤١١١", None),
    ],
)
def test_number_is_masked(number, masked):
    assert mask_number(CardNumber(number)) == masked


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        (" 0123456789-０１２３４５６７８９\n", "0123456789" * 2),
        *((f"41{other}11", "") for other in "/:.x*／：\n\t\u0661\u00a0"),
    ],
    ids=ascii,
)
def test_text_with_other_characters_than_digits_blanks_and_dashes_has_no_digits(
    text, digits
):
    assert digits_of(CardNumber(text)).expose() == digits


@given(digits)
def test_mask_shows_at_most_the_first_six_and_last_four_digits(number):
    masked = mask_number(CardNumber(number)) or ""
    visible = len(masked) - masked.count("*")
    assert len(masked) == len(number)
    assert visible <= 4 or (visible <= 10 and masked.count("*") >= 6)
    assert re.fullmatch(r"[0-9]{0,6}\*+[0-9]{0,4}|", masked)


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        *(("4111111111111111", True), ("4111111111111112", False)),
        *(("5555 5555 5555 4444", True), ("378282246310005", True)),
        *(("0", True), ("xxxx", None)),
    ],
)
def test_luhn_check_has_a_result_for_any_digits(number, valid):
    assert is_luhn_valid(CardNumber(number)) is valid


@pytest.mark.parametrize("digit", range(10))
def test_luhn_check_adds_the_digits_of_doubled_digits(digit):
    check = -sum(int(part) for part in str(2 * digit)) % 10
    valid = [is_luhn_valid(CardNumber(f"{digit}{last}")) for last in range(10)]
    assert valid == [last == check for last in range(10)]


@given(st.text("0123456789", min_size=2, max_size=40), st.integers(1, 9), st.data())
def test_luhn_check_detects_any_single_wrong_digit(number, change, data):
    position = data.draw(st.integers(0, len(number) - 1))
    digit = str((int(number[position]) + change) % 10)
    changed = number[:position] + digit + number[position + 1 :]
    both = is_luhn_valid(CardNumber(number)) and is_luhn_valid(CardNumber(changed))
    assert not both


def china(*when):
    return datetime(*when, tzinfo=CHINA)


RECOGNITION = Recognition(
    order_no="order1",
    fields=CardFields(
        number=CardNumber("6225880000001234"),
        valid_until="2024-12",
        valid_until_text="VALID 12/24",
        warnings=("-9110", "-777"),
        clarity=79,
    ),
    recognized_at=china(2021, 6, 21, 17, 40, 6),
)


def masked(**changes):
    fields = replace(RECOGNITION.fields, **changes)
    return BankCard().mask(replace(RECOGNITION, fields=fields), KEY)


def test_mask_holds_card_quality_and_time():
    assert masked() == {
        "card": {
            "number_masked": "622588******1234",
            "number_fingerprint": fingerprint("6225880000001234", KEY),
            "length": 16,
            "luhn_valid": False,
            "issuer": {
                "bank": "招商银行",
                "bank_code": "CMB",
                "card_type": "debit",
                "source": "bankcard 3.1.6",
            },
            "valid_until": "2024-12",
            "valid_until_text": "VALID 12/24",
            "expired": False,
        },
        "quality": {
            "clarity": 79,
            "warnings": [
                {"code": "-9110", "name": "invalid_date"},
                {"code": "-777", "name": "unknown_warning"},
            ],
        },
        "recognized_at": "2021-06-21T17:40:06+08:00",
    }


def test_fingerprint_covers_only_the_digits():
    fingerprints = {
        masked(number=CardNumber(number))["card"]["number_fingerprint"]
        for number in ("4111-1111-1111-1111", "4111111111111111")
    }
    assert fingerprints == {fingerprint("4111111111111111", KEY)}


@pytest.mark.parametrize("number", ["xxxx", "622588xxxxxx1234"])
def test_number_without_digits_is_null_throughout(number):
    card = masked(number=CardNumber(number))["card"]
    names = ("number_masked", "number_fingerprint", "length", "luhn_valid")
    assert [card[name] for name in names] == [None] * 4


def test_missing_fields_are_null():
    empty = Recognition(order_no=None, fields=CardFields(number=CardNumber("")))
    mask = BankCard().mask(empty, KEY)
    names = ("valid_until", "valid_until_text", "expired")
    assert [mask["card"][name] for name in names] == [None] * 3
    assert mask["recognized_at"] is None
    assert mask["quality"] == {"clarity": None, "warnings": []}


def test_photos_are_original_cropped_and_number():
    assert BankCard().photo_kinds == ("original", "cropped", "number")


def test_only_the_card_identifies_a_result():
    identity = BankCard().identity
    other_card = masked(number=CardNumber("4111111111111111"))
    assert identity(masked(clarity=1, warnings=())) == identity(masked())
    assert identity(other_card) != identity(masked())


def test_query_requests_the_photos_without_signing_that_parameter():
    nonce = "kHoSxvLZGxSoFsjxlbzEoUzh5PAnTU7T"
    request = BankCard().build_request(
        app_id="appId001",
        order_no="aabc1457895464",
        ticket=Secret(
            "FxlAe3HFtEy73Um0pJNzIUriwtfnS3KRcPXiesd5ulS4XRAIcT0FbfaP52dwZf5S"
        ),
        nonce=nonce,
    )
    assert request.path == "/api/server/getBankCardOcrResult"
    assert dict(request.query.expose()) == {
        "app_id": "appId001",
        "order_no": "aabc1457895464",
        "get_file": "1",
        "nonce": nonce,
        "version": "1.0.0",
        "sign": "993D057C652D97FD90D5D298F2E5DC4B8D893CBC",  # vector V1
    }

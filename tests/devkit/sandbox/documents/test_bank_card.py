"""Synthetic card data."""

from hypothesis import given
from hypothesis import strategies as st

from kycourier_devkit.sandbox.documents.bank_card import (
    TEST_NUMBERS,
    card_for,
    other_card_number,
    with_check_digit,
)

order_numbers = st.from_regex("[A-Za-z0-9]{1,32}", fullmatch=True)


@given(order_numbers)
def test_card_number_is_synthetic_and_passes_luhn(
    order_no: str,
) -> None:
    number = card_for(order_no).number

    assert number in TEST_NUMBERS or number.startswith("62258800000")
    assert with_check_digit(number[:-1]) == number


@given(order_numbers)
def test_other_card_number_differs_from_card_of_order(order_no: str) -> None:
    assert other_card_number(order_no) != card_for(order_no).number


def test_published_test_numbers_pass_luhn() -> None:
    assert [with_check_digit(number[:-1]) for number in TEST_NUMBERS] == list(
        TEST_NUMBERS
    )

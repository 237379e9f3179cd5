"""What a queue message or request says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.errors import BadRequest
from kycourier.core.message import parse_body, parse_order, parse_order_no
from kycourier.core.models import Document, OrderKey

BAD_NUMBERS = [
    "", "a" * 33, "a" * 10_000, "a\n", "a b", "../a", "a%2e", "٤٥", "ａ", "a\x00",
    "\u202ea", "\ud800", "a-b", "é", None, 5, True, [], {}, b"a",
]  # fmt: skip


@pytest.mark.parametrize(
    "number", ["a", "0", "A" * 32, "bankcardPic5923ab9a3bc34488b51"]
)
def test_letters_and_digits_up_to_32_are_an_order_number(number):
    assert parse_order_no(number) == number


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=ascii)
def test_anything_else_is_refused_without_being_repeated(number):
    with pytest.raises(BadRequest) as caught:
        parse_order_no(number)
    assert caught.value.problem == "bad_order_no"
    assert str(caught.value) == "bad_request: bad_order_no"


@given(st.text())
def test_what_is_taken_is_ascii_letters_and_digits(number):
    try:
        parse_order_no(number)
    except BadRequest:
        return
    assert 1 <= len(number) <= 32
    assert number.isascii()
    assert number.isalnum()


def test_a_message_may_name_app_and_document_and_more():
    members = {"order_no": "a1", "app_id": "A", "document": "bank_card", "more": 1}
    assert parse_order(members, app_id="A") == (OrderKey("A", "a1"), Document.BANK_CARD)
    assert parse_order({"order_no": "a1"}, app_id="A")[0] == OrderKey("A", "a1")


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"order_no": "a", "app_id": "B"}, "foreign_app"),
        ({"order_no": "a", "app_id": None}, "foreign_app"),
        ({"order_no": "a", "document": "passport"}, "unknown_document"),
        ({"order_no": "a", "document": ["bank_card"]}, "unknown_document"),
        ({}, "bad_order_no"),
        ([], "bad_message"),
        (None, "bad_message"),
    ],
)
def test_another_app_or_document_is_a_bad_request(members, problem):
    with pytest.raises(BadRequest) as caught:
        parse_order(members, app_id="A")
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "bad_json"),
        (b"[]", "bad_json"),
        (b'{"a":1,"a":2}', "bad_json"),
        (b'{"order_no":NaN}', "bad_json"),
        (b"[" * 16_000, "bad_json"),
        (b'{"a":' + b"9" * 5000 + b"}", "bad_json"),
        (b"\xef\xbb\xbf{}", "bad_json"),
        (b"{}" + b" " * 16_384, "body_too_large"),
    ],
    ids=lambda value: str(value)[:16],
)
def test_a_bad_body_is_a_bad_request(text, problem):
    with pytest.raises(BadRequest) as caught:
        parse_body(text)
    assert caught.value.problem == problem

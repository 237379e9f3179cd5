"""Messages and requests name an order strictly; errors never repeat them."""

import pytest

from kycourier.core.documents.registry import DEFAULT_DOCUMENT
from kycourier.core.errors import ApiProblemError
from kycourier.core.orders.order_request import (
    OrderRequest,
    build_reminder,
    is_reminder,
    parse_body,
    parse_order_no,
    parse_order_request,
)
from kycourier.core.orders.record import OrderKey

BAD_NUMBERS = [
    "", "a" * 33, "a" * 10_000, "a\n", "a b", "../a", "a%2e", "٤٥", "ａ", "a\x00",
    "\u202ea", "\ud800", "a-b", "é", None, 5, True, [], {}, b"a",
]  # fmt: skip


@pytest.mark.parametrize(
    "number", ["a", "0", "A" * 32, "bankcardPic5923ab9a3bc34488b51"]
)
def test_order_number_is_up_to_32_letters_and_digits(number):
    assert parse_order_no(number) == number


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=ascii)
def test_other_order_number_is_rejected_without_being_repeated(number):
    with pytest.raises(ApiProblemError) as caught:
        parse_order_no(number)
    assert caught.value.problem == "bad_order_no"
    assert str(caught.value) == "bad_request: bad_order_no"


def test_app_and_document_are_optional_and_other_members_ignored():
    members = {"order_no": "a1", "app_id": "A", "document": "bank_card", "more": 1}
    request = OrderRequest(order=OrderKey("A", "a1"), document=DEFAULT_DOCUMENT)
    assert parse_order_request(members, app_id="A") == request
    request = OrderRequest(order=OrderKey("A", "a1"), document=None)
    assert parse_order_request({"order_no": "a1"}, app_id="A") == request
    null = {"order_no": "a1", "app_id": None, "document": None}
    assert parse_order_request(null, app_id="A") == request


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"order_no": "a", "app_id": "B"}, "foreign_app"),
        ({"order_no": "a", "app_id": ""}, "foreign_app"),
        ({"order_no": "a", "app_id": False}, "foreign_app"),
        ({"order_no": "a", "document": "passport"}, "unknown_document"),
        ({"order_no": "a", "document": ["bank_card"]}, "unknown_document"),
        ({}, "bad_order_no"),
        ([], "bad_message"),
        (None, "bad_message"),
    ],
)
def test_other_app_document_or_message_is_rejected(members, problem):
    with pytest.raises(ApiProblemError) as caught:
        parse_order_request(members, app_id="A")
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "bad_json"),
        (b"[]", "bad_json"),
        (b'{"a":1,"a":2}', "bad_json"),
        (b"{}" + b" " * 16_384, "body_too_large"),
    ],
    ids=lambda value: str(value)[:16],
)
def test_malformed_or_large_body_is_rejected(text, problem):
    with pytest.raises(ApiProblemError) as caught:
        parse_body(text)
    assert caught.value.problem == problem


def test_reminder_is_recognized_and_names_its_order():
    members = parse_body(build_reminder(OrderKey("A", "a1")).encode())
    assert is_reminder(members)
    assert parse_order_request(members, app_id="A").order == OrderKey("A", "a1")


@pytest.mark.parametrize(
    "members", [{}, {"order_no": "a1"}, {"due": 1}, {"due": "true"}, [], None]
)
def test_other_message_is_no_reminder(members):
    assert not is_reminder(members)

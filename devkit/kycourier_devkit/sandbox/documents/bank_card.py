"""Derives a synthetic bank card from an order number, always the same one."""

from dataclasses import dataclass, field
from hashlib import shake_256

# Published test numbers of the card schemes; no account is behind them.
TEST_NUMBERS = (
    "4111111111111111",
    "5555555555554444",
    "4012888888881881",
    "5105105105105100",
    "6200000000000005",
    "6205500000000000004",
)
_BLANK_NUMBER = "62258800000"  # four digits and the check digit follow


@dataclass(frozen=True)
class Card:
    """The data on an order's card."""

    number: str = field(repr=False)
    valid_until: str  # MM/YYYY
    clarity: int


def card_for(order_no: str) -> Card:
    """Returns the card of an order; about half have a published test number."""
    digest = shake_256(order_no.encode()).digest(8)
    if digest[0] % 2:
        number = TEST_NUMBERS[digest[1] % len(TEST_NUMBERS)]
    else:
        serial = int.from_bytes(digest[2:4], "big") % 10_000
        number = with_check_digit(f"{_BLANK_NUMBER}{serial:04}")
    month, year = 1 + digest[4] % 12, 2032 + digest[5] % 5
    return Card(number, f"{month:02}/{year}", 60 + digest[6] % 40)


def other_card_number(order_no: str) -> str:
    """Returns another card number than that of the order's card."""
    number = card_for(order_no).number
    return next(other for other in TEST_NUMBERS if other != number)


def with_check_digit(digits: str) -> str:
    """Appends the Luhn check digit (ISO/IEC 7812-1)."""
    doubled = (int(digit) * 2 for digit in digits[::-2])
    total = sum(sum(divmod(value, 10)) for value in doubled)
    total += sum(int(digit) for digit in digits[-2::-2])
    return digits + str(-total % 10)

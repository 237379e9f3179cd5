"""Derives a synthetic ID card from an order number, always the same one.

ID numbers start with 000000, which is no region; places are in 测试省 (Test Province).
Every personal value but sex and nation has at least six characters, so that leak scans
find it and nothing else.
"""

from dataclasses import dataclass, field
from hashlib import shake_256

LONG_TERM = "长期"  # a validity without end
_REGION = "000000"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_NATIONS = "汉满回壮"
_YEARS_VALID = 20


@dataclass(frozen=True)
class IdCard:
    """The data on both sides of an order's card; dates are `YYYYMMDD`."""

    name: str = field(repr=False)
    sex: str
    nation: str
    birth: str = field(repr=False)
    address: str = field(repr=False)
    number: str = field(repr=False)
    native_place: str = field(repr=False)
    authority: str = field(repr=False)
    valid_from: str
    valid_until: str
    front_clarity: int
    back_clarity: int


def id_card_for(order_no: str) -> IdCard:
    """Returns the ID card of an order."""
    digest = shake_256(f"id card {order_no}".encode()).digest(16)
    stems = [_STEMS[value % len(_STEMS)] for value in digest[:5]]
    city, house = f"测试{stems[2]}市", 1 + int.from_bytes(digest[5:7], "big") % 9999
    birth = f"{1950 + digest[7] % 55}{1 + digest[8] % 12:02}{1 + digest[9] % 28:02}"
    serial = 1 + int.from_bytes(digest[10:12], "big") % 998
    begins = 2015 + digest[12] % 8
    month_and_day = f"{1 + digest[13] % 12:02}{1 + digest[14] % 28:02}"
    return IdCard(
        name=f"测试{''.join(stems[:4])}",
        sex="男" if serial % 2 else "女",
        nation=_NATIONS[digest[15] % len(_NATIONS)],
        birth=birth,
        address=f"测试省{city}测试{stems[3]}区测试路{house}号",
        number=with_check_character(f"{_REGION}{birth}{serial:03}"),
        native_place=f"测试省{city}",
        authority=f"{city}公安局测试{stems[4]}分局",
        valid_from=f"{begins}{month_and_day}",
        valid_until=f"{begins + _YEARS_VALID}{month_and_day}",
        front_clarity=60 + digest[0] % 40,
        back_clarity=60 + digest[1] % 40,
    )


def other_id_number(order_no: str) -> str:
    """Returns the ID number of the next person of the same sex and birth date."""
    number = id_card_for(order_no).number
    serial = 1 + (int(number[14:17]) + 1) % 998
    return with_check_character(f"{number[:14]}{serial:03}")


def number_ending_in_x(order_no: str) -> str:
    """Returns the first number of the order's birth date whose check is X."""
    body = id_card_for(order_no).number[:14]
    numbers = (with_check_character(f"{body}{serial:03}") for serial in range(1000))
    return next(number for number in numbers if number.endswith("X"))


def number_with_wrong_check(order_no: str) -> str:
    """Returns the order's ID number with another check character than its own."""
    number = id_card_for(order_no).number
    at = _CHECK_CHARACTERS.index(number[-1])
    return number[:-1] + _CHECK_CHARACTERS[(at + 1) % len(_CHECK_CHARACTERS)]


def number_of_15_digits(order_no: str) -> str:
    """Returns the order's ID number in the form of before 1999."""
    number = id_card_for(order_no).number
    return number[:6] + number[8:17]


def with_check_character(digits: str) -> str:
    """Appends the check character (ISO 7064 MOD 11-2) to 17 digits."""
    weighted = zip(digits, _WEIGHTS, strict=True)
    total = sum(int(digit) * weight for digit, weight in weighted)
    return digits + _CHECK_CHARACTERS[total % len(_CHECK_CHARACTERS)]


def personal_values(order_no: str) -> frozenset[str]:
    """Returns all personal values that replies for an order can have."""
    card, x_number = id_card_for(order_no), number_ending_in_x(order_no)
    numbers = {
        card.number,
        card.number[:17],
        other_id_number(order_no),
        x_number,
        x_number.lower(),
        number_with_wrong_check(order_no),
        number_of_15_digits(order_no),
    }
    others = {card.name, card.birth, card.address, card.native_place, card.authority}
    return frozenset(numbers | others)

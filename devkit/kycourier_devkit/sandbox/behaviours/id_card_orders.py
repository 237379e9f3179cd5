"""Defines the magic orders of the ID card."""

from collections.abc import Callable

from kycourier_devkit.sandbox.behaviours.drift import CROP_DRIFTS, OLD_NAME_DRIFTS
from kycourier_devkit.sandbox.behaviours.order_actions import (
    Drift,
    NumberedDrift,
    OrderAction,
    converted,
    drifted,
    late,
    numbered,
    with_fields,
)
from kycourier_devkit.sandbox.behaviours.spelling import Behaviour
from kycourier_devkit.sandbox.documents.id_card import (
    LONG_TERM,
    number_ending_in_x,
    number_of_15_digits,
    number_with_wrong_check,
)
from kycourier_devkit.sandbox.results.document import ResultReply
from kycourier_devkit.sandbox.results.id_card import (
    BACK,
    BACK_CODE,
    BACK_CROP,
    BACK_PHOTO,
    BACK_READ,
    FRONT,
    FRONT_CODE,
    FRONT_PHOTO,
    FRONT_READ,
)

_EXPIRED_CARD = 66661003
_NOT_PORTRAIT_SIDE = 66661006
_NOT_EMBLEM_SIDE = 66661007
_MASK_OF_PAGE = 10010100  # border incomplete, re-photographed, covered
_MASK_LENGTH = 8
_MEBIBYTE = 1024 * 1024
_MAX_MEBIBYTES = 64


def _without(*names: str) -> Drift:
    return lambda reply: reply.without(*names)


def _front_code(reply: ResultReply, code: int) -> ResultReply:
    return reply.without(*FRONT_READ).with_result(**{FRONT_CODE: str(code)})


def _back_code(reply: ResultReply, code: int) -> ResultReply:
    return reply.without(*BACK_READ).with_result(**{BACK_CODE: str(code)})


def _both_codes(reply: ResultReply, code: int) -> ResultReply:
    return _back_code(_front_code(reply, code), code)


def _text(name: str, *, width: int = 0) -> NumberedDrift:
    return lambda reply, number: reply.with_result(**{name: f"{number:0{width}}"})


def _number(number_of: Callable[[str], str]) -> Drift:
    return lambda reply: reply.with_result(
        idcard=number_of(str(reply.result["orderNo"]))
    )


def _valid(text: str) -> Drift:
    return with_fields(validDate=text)


def _lower_x(order_no: str) -> str:
    return number_ending_in_x(order_no).lower()


def _17_characters(reply: ResultReply) -> ResultReply:
    return reply.with_result(idcard=str(reply.result["idcard"])[:17])


def _long_address(reply: ResultReply, mebibytes: int) -> ResultReply:
    length = min(mebibytes, _MAX_MEBIBYTES) * _MEBIBYTE
    address = str(reply.result["address"])
    return reply.with_result(address=address.ljust(length, "."))


def _dotted(reply: ResultReply) -> ResultReply:
    dates = str(reply.result["validDate"]).split("-")
    dotted = [f"{date[:4]}.{date[4:6]}.{date[6:]}" for date in dates]
    return reply.with_result(validDate="-".join(dotted))


def _single_date(reply: ResultReply) -> ResultReply:
    return reply.with_result(validDate=str(reply.result["validDate"])[-8:])


_odd_masks = with_fields(frontMultiWarning="0001", backMultiWarning="0001x00?")
_no_warnings = _without(
    *("frontWarnCode", "backWarnCode", "frontMultiWarning", "backMultiWarning")
)
_int_sides = with_fields(**{FRONT_CODE: 0, BACK_CODE: 0})
_half_surrogate = with_fields(name="测试\ud800")

_DRIFTS: tuple[Behaviour[Drift], ...] = (
    *CROP_DRIFTS,
    *OLD_NAME_DRIFTS,
    Behaviour("frontonly", "the emblem side was not scanned", _without(*BACK)),
    Behaviour("backonly", "the portrait side was not scanned", _without(*FRONT)),
    Behaviour("neitherside", "no side was scanned, code 0", _without(*FRONT, *BACK)),
    Behaviour("intsides", "frontCode and backCode are numbers", _int_sides),
    Behaviour("lostbackcrop", "backCrop never comes", with_fields(**{BACK_CROP: ""})),
    Behaviour("nowarnings", "no fields of warnings", _no_warnings),
    Behaviour("oddmasks", "masks of 4 characters, and with x and ?", _odd_masks),
    Behaviour("nonumber", "the number is empty", with_fields(idcard="")),
    Behaviour("badcheck", "a wrong check digit", _number(number_with_wrong_check)),
    Behaviour("numberx", "a number that ends in X", _number(number_ending_in_x)),
    Behaviour("numberlowerx", "a number that ends in x", _number(_lower_x)),
    Behaviour("number15", "a number of 15 digits", _number(number_of_15_digits)),
    Behaviour("number17", "a number of 17 digits", _17_characters),
    Behaviour("noname", "the name is empty", with_fields(name="")),
    Behaviour("surrogatename", "half a surrogate in the name", _half_surrogate),
    Behaviour("badbirth", "born 19900231", with_fields(birth="19900231")),
    Behaviour("nodate", "the date is empty", _valid("")),
    Behaviour("longterm", "valid 20070101-长期", _valid(f"20070101-{LONG_TERM}")),
    Behaviour(
        "longtermdots", "valid 2007.01.01-长期", _valid(f"2007.01.01-{LONG_TERM}")
    ),
    Behaviour("cardexpired", "valid 20050101-20150101", _valid("20050101-20150101")),
    Behaviour("baddate", "valid 20160231-20360231", _valid("20160231-20360231")),
    Behaviour("datedots", "validDate with dots", _dotted),
    Behaviour("onedate", "validDate is the last day alone", _single_date),
)
_NUMBERED: tuple[Behaviour[NumberedDrift], ...] = (
    Behaviour("frontcodeN", "frontCode N", _front_code, _NOT_PORTRAIT_SIDE),
    Behaviour("backcodeN", "backCode N", _back_code, _NOT_EMBLEM_SIDE),
    Behaviour("bothcodesN", "both sides' code N", _both_codes, _EXPIRED_CARD),
    Behaviour("frontwarnN", "frontWarnCode N", _text("frontWarnCode"), _EXPIRED_CARD),
    Behaviour("backwarnN", "backWarnCode N", _text("backWarnCode"), _EXPIRED_CARD),
    Behaviour(
        "frontmaskN",
        "frontMultiWarning N",
        _text("frontMultiWarning", width=_MASK_LENGTH),
        _MASK_OF_PAGE,
    ),
    Behaviour(
        "backmaskN",
        "backMultiWarning N",
        _text("backMultiWarning", width=_MASK_LENGTH),
        _MASK_OF_PAGE,
    ),
    Behaviour("longaddressN", "an address of N MiB", _long_address, 5),
)
_LATE: tuple[Behaviour[Drift], ...] = (
    Behaviour("latefrontN", "frontPhoto after N seconds", _without(FRONT_PHOTO), 3),
    Behaviour("latebackN", "backPhoto after N seconds", _without(BACK_PHOTO), 3),
)

ID_CARD_ORDERS: list[Behaviour[OrderAction]] = [
    *converted(_DRIFTS, drifted),
    *converted(_NUMBERED, numbered),
    *converted(_LATE, late),
]

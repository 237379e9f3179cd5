"""Defines results that differ from the documentation: names, types, values."""

from collections.abc import Callable
from dataclasses import replace
from textwrap import wrap

from kycourier_devkit.sandbox.behaviours.spelling import Behaviour
from kycourier_devkit.sandbox.documents.card_photos import png_text
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.replies import ORIGINAL, PHOTOS, ResultReply

Drift = Callable[[ResultReply], ResultReply]

_OLD_NAMES = {
    ORIGINAL: "orginBankcardPhoto",
    "bankCardNo": "bankcardNo",
    "warnCode": "warningCode",
    "multiWarnCode": "multiWarningCode",
}


def without_photos(reply: ResultReply, *names: str) -> ResultReply:
    """Replaces these photos, if present, by empty strings."""
    return reply.with_result(**{name: "" for name in names if name in reply.result})


def without_original(reply: ResultReply) -> ResultReply:
    """Removes the field of the original photo; keeps the crops."""
    fields = {name: reply.result[name] for name in reply.result if name != ORIGINAL}
    return replace(reply, result=fields)


def _outer(**fields: object) -> Drift:
    return lambda reply: reply.with_outer(**fields)


def _result(**fields: object) -> Drift:
    return lambda reply: reply.with_result(**fields)


def _photos(change: Callable[[str], str]) -> Drift:
    return lambda reply: reply.with_result(
        **{
            name: change(str(reply.result[name]))
            for name in PHOTOS
            if name in reply.result
        }
    )


def _renamed(reply: ResultReply) -> ResultReply:
    fields = {_OLD_NAMES.get(name, name): reply.result[name] for name in reply.result}
    return replace(reply, result=fields)


def _as_png(reply: ResultReply) -> ResultReply:
    return _photos(lambda _: png_text(str(reply.result["orderNo"])))(reply)


def _extended(reply: ResultReply) -> ResultReply:
    return reply.with_outer(retry="0").with_result(riskInfo={"deviceInfoLevel": "1"})


def _warnings(listed: str) -> Drift:
    return _result(warnCode="-9110", multiWarnCode=listed)


_masked = _result(bankCardNo="x" * 19)
_expired = _result(
    bankCardValidDate="12/2020", warnCode=result_codes.WARNING_CARD_EXPIRED
)


def _lines(photo: str) -> str:
    return "\r\n".join(wrap(photo, 76))


def _corrupted(photo: str) -> str:
    return f"{photo[:40]}!*{photo[40:]}"


def _flat(reply: ResultReply) -> ResultReply:
    return replace(reply, nested=False)


def _data_uri(photo: str) -> str:
    return f"data:image/jpeg;base64,{photo}"


DRIFTS: tuple[Behaviour[Drift], ...] = (
    Behaviour("flat", "no result object, all fields side by side", _flat),
    Behaviour("oldnames", "orginBankcardPhoto, bankcardNo, warningCode, ...", _renamed),
    Behaviour("newfields", "fields that the documentation does not have", _extended),
    Behaviour("intcode", "code is the number 0", _outer(code=0)),
    Behaviour("floatcode", "code is the number 0.0", _outer(code=0.0)),
    Behaviour("nullcode", "code is null", _outer(code=None)),
    Behaviour("spacecode", "code is a blank and 0", _outer(code=" 0")),
    Behaviour("datauri", "photos are data: URIs", _photos(_data_uri)),
    Behaviour("linebreaks", "photos in lines of 76 characters", _photos(_lines)),
    Behaviour("badbase64", "photos with ! and * in the Base64", _photos(_corrupted)),
    Behaviour("pngphotos", "photos are PNG", _as_png),
    Behaviour("warnone", "warnCode -9110", _result(warnCode="-9110")),
    Behaviour("warnlist", "multiWarnCode is a list", _warnings("[-9110,-9111,-9114]")),
    Behaviour("warnbroken", "multiWarnCode is a broken list", _warnings("[-9110,,x")),
    Behaviour(
        "unknownwarning", "a warning that is in no list", _result(warnCode="-9199")
    ),
    Behaviour("othernumber", "orderNo is another order's", _result(orderNo="another1")),
    Behaviour("maskednumber", "bankCardNo is 19 x, as in the sample", _masked),
    Behaviour("nonumber", "bankCardNo is empty", _result(bankCardNo="")),
    Behaviour("nodate", "bankCardValidDate is empty", _result(bankCardValidDate="")),
    Behaviour(
        "longterm", "bankCardValidDate is 长期", _result(bankCardValidDate="长期")
    ),
    Behaviour("cardexpired", "valid until 12/2020, warning 66661009", _expired),
)

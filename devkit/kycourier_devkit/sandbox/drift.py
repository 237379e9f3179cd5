"""Results that drift from the page: other names, other types, other values."""

from collections.abc import Callable
from dataclasses import replace
from textwrap import wrap

from kycourier_devkit.sandbox import codes
from kycourier_devkit.sandbox.cards import png_text
from kycourier_devkit.sandbox.replies import (
    ORIGINAL,
    PHOTOS,
    ResultReply,
)
from kycourier_devkit.sandbox.words import Word

Drift = Callable[[ResultReply], ResultReply]

_OLD_NAMES = {
    ORIGINAL: "orginBankcardPhoto",
    "bankCardNo": "bankcardNo",
    "warnCode": "warningCode",
    "multiWarnCode": "multiWarningCode",
}


def without_photos(reply: ResultReply, *names: str) -> ResultReply:
    """Empty these photos of a reply that has them."""
    return reply.with_result(**{name: "" for name in names if name in reply.result})


def without_original(reply: ResultReply) -> ResultReply:
    """Leave out the original photo, key and all; the crops stay."""
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
_expired = _result(bankCardValidDate="12/2020", warnCode=codes.WARNING_CARD_EXPIRED)


def _lines(photo: str) -> str:
    return "\r\n".join(wrap(photo, 76))


def _spoiled(photo: str) -> str:
    return f"{photo[:40]}!*{photo[40:]}"


def _flat(reply: ResultReply) -> ResultReply:
    return replace(reply, nested=False)


def _data_uri(photo: str) -> str:
    return f"data:image/jpeg;base64,{photo}"


DRIFTS: tuple[Word[Drift], ...] = (
    Word("flat", "no result object, all fields side by side", _flat),
    Word("oldnames", "orginBankcardPhoto, bankcardNo, warningCode, ...", _renamed),
    Word("newfields", "fields that the page does not name", _extended),
    Word("intcode", "code is the number 0", _outer(code=0)),
    Word("floatcode", "code is the number 0.0", _outer(code=0.0)),
    Word("nullcode", "code is null", _outer(code=None)),
    Word("spacecode", "code is a blank and 0", _outer(code=" 0")),
    Word("datauri", "photos are data: URIs", _photos(_data_uri)),
    Word("linebreaks", "photos in lines of 76 characters", _photos(_lines)),
    Word("badbase64", "photos with ! and * in the Base64", _photos(_spoiled)),
    Word("pngphotos", "photos are PNG", _as_png),
    Word("warnone", "warnCode -9110", _result(warnCode="-9110")),
    Word("warnlist", "multiWarnCode is a list", _warnings("[-9110,-9111,-9114]")),
    Word("warnbroken", "multiWarnCode is a broken list", _warnings("[-9110,,x")),
    Word("unknownwarning", "a warning that no list has", _result(warnCode="-9199")),
    Word("othernumber", "orderNo is another order's", _result(orderNo="another1")),
    Word("maskednumber", "bankCardNo is 19 x, as in the sample", _masked),
    Word("nonumber", "bankCardNo is empty", _result(bankCardNo="")),
    Word("nodate", "bankCardValidDate is empty", _result(bankCardValidDate="")),
    Word("longterm", "bankCardValidDate is 长期", _result(bankCardValidDate="长期")),
    Word("cardexpired", "valid until 12/2020, warning 66661009", _expired),
)

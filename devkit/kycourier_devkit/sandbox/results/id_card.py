"""Serves the ID card: both sides of one card per order (1007/35864)."""

from dataclasses import replace

from kycourier_devkit.sandbox.documents.id_card import (
    id_card_for,
    other_id_number,
    personal_values,
)
from kycourier_devkit.sandbox.documents.id_card_photos import (
    draw_id_card,
    id_card_photo_texts,
)
from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.parameters import (
    ResultQuery,
    SignedNames,
    check_known,
    parse_fields,
    parse_signed,
    select_flags,
)
from kycourier_devkit.sandbox.platform.replies import (
    Json,
    format_compact,
    format_spaced,
)
from kycourier_devkit.sandbox.results.document import Document, OrderQuery

FRONT_CODE, BACK_CODE = "frontCode", "backCode"
FRONT_PHOTO, BACK_PHOTO = "frontPhoto", "backPhoto"
FRONT_CROP, BACK_CROP, HEAD_PHOTO = "frontCrop", "backCrop", "headPhoto"
# What is read from a side; without recognition of the side there is nothing of it.
FRONT_READ = (
    *("name", "sex", "nation", "birth", "address", "idcard", "nativePlace"),
    *("frontWarnCode", "frontMultiWarning", "frontClarity"),
)
BACK_READ = (
    *("validDate", "authority"),
    *("backWarnCode", "backMultiWarning", "backClarity"),
)
FRONT = (FRONT_CODE, *FRONT_READ, FRONT_PHOTO, FRONT_CROP, HEAD_PHOTO)
BACK = (BACK_CODE, *BACK_READ, BACK_PHOTO, BACK_CROP)

_NAMES = SignedNames("app_id", "order_no", too_long=result_codes.BAD_ORDER_NO)
_FLAGS = {"get_file": 1, "get_native": 1}
_PARAMETERS = ("app_id", "order_no", "nonce", "version", "sign", *_FLAGS)
_NO_WARNINGS = "00000000"
_SCANNED_SECONDS_BEFORE = 30


def _parse(request: Request, app_id: str) -> ResultQuery:
    fields = parse_fields(request.query)
    parsed = parse_signed(fields, names=_NAMES, app_id=app_id)
    check_known(fields, _PARAMETERS)
    return replace(parsed, flags=select_flags(fields, max_lengths=_FLAGS))


def _result(query: OrderQuery) -> Json:
    """Builds a result with both sides; `success` is false, as in the samples."""
    card, request = id_card_for(query.order_no), query.request
    with_native_place = request.flags.get("get_native") == "1"
    return {
        FRONT_CODE: result_codes.OK,
        BACK_CODE: result_codes.OK,
        "orderNo": query.order_no,
        "name": card.name,
        "sex": card.sex,
        "nation": card.nation,
        "birth": card.birth,
        "address": card.address,
        "idcard": card.number,
        **({"nativePlace": card.native_place} if with_native_place else {}),
        "validDate": f"{card.valid_from}-{card.valid_until}",
        "authority": card.authority,
        **(id_card_photo_texts(query.order_no) if request.with_photos else {}),
        "frontWarnCode": "0",
        "backWarnCode": "0",
        "operateTime": format_spaced(query.first_at - _SCANNED_SECONDS_BEFORE),
        "frontMultiWarning": _NO_WARNINGS,
        "backMultiWarning": _NO_WARNINGS,
        "frontClarity": str(card.front_clarity),
        "backClarity": str(card.back_clarity),
        "success": False,
        "bizSeqNo": query.biz_seq_no,
        "transactionTime": format_compact(query.now),
    }


ID_CARD = Document(
    name="id_card",
    title="ID card",
    method="GET",
    path="/api/server/getOcrResult",
    parse=_parse,
    result=_result,
    secrets=personal_values,
    small_jpeg=lambda order_no: draw_id_card(order_no).head,
    originals=(FRONT_PHOTO, BACK_PHOTO),
    crops=(FRONT_CROP, BACK_CROP, HEAD_PHOTO),
    not_ready_code=result_codes.OCR_RESULT_NOT_FOUND,
    no_record_code=result_codes.OCR_RESULT_NOT_FOUND,
    changed=lambda order_no: {"idcard": other_id_number(order_no)},
    old_names={
        **{
            name: name.capitalize()
            for name in (
                *("name", "sex", "nation", "birth"),
                *("address", "idcard", "authority"),
            )
        },
        "validDate": "validate",
    },
)

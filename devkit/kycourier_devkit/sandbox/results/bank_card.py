"""Serves the bank card (1007/35859)."""

from kycourier_devkit.sandbox.documents.bank_card import card_for, other_card_number
from kycourier_devkit.sandbox.documents.card_photos import draw_photos, photo_texts
from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.parameters import ResultQuery, parse_result_query
from kycourier_devkit.sandbox.platform.replies import (
    Json,
    format_compact,
    format_spaced,
)
from kycourier_devkit.sandbox.results.document import Document, OrderQuery

RESULT_PATH = "/api/server/getBankCardOcrResult"
ORIGINAL = "originBankcardPhoto"
CROPPED = "bankcardCropPhoto"
NUMBER = "bankcardNoPhoto"
_SCANNED_SECONDS_BEFORE = 30


def _parse(request: Request, app_id: str) -> ResultQuery:
    return parse_result_query(request.query, app_id=app_id)


def _result(query: OrderQuery) -> Json:
    """Builds a complete result; `success` is false, as in the documented sample."""
    card = card_for(query.order_no)
    photos = photo_texts(query.order_no) if query.request.with_photos else ()
    return {
        "bizSeqNo": query.biz_seq_no,
        "transactionTime": format_compact(query.now),
        "orderNo": query.order_no,
        "bankCardNo": card.number,
        "bankCardValidDate": card.valid_until,
        **dict(zip((ORIGINAL, CROPPED, NUMBER), photos, strict=False)),
        "warnCode": "0",
        "multiWarnCode": "0",
        "operateTime": format_spaced(query.first_at - _SCANNED_SECONDS_BEFORE),
        "clarity": str(card.clarity),
        "success": False,
    }


def _secrets(order_no: str) -> set[str]:
    return {card_for(order_no).number, other_card_number(order_no)}


BANK_CARD = Document(
    name="bank_card",
    title="bank card",
    method="GET",
    path=RESULT_PATH,
    parse=_parse,
    result=_result,
    secrets=_secrets,
    small_jpeg=lambda order_no: draw_photos(order_no).number,
    originals=(ORIGINAL,),
    crops=(CROPPED, NUMBER),
    not_ready_code=result_codes.OCR_RESULT_NOT_FOUND,
    no_record_code=result_codes.NO_SUCH_RESULT,
    changed=lambda order_no: {"bankCardNo": other_card_number(order_no)},
    old_names={
        ORIGINAL: "orginBankcardPhoto",
        "bankCardNo": "bankcardNo",
        "warnCode": "warningCode",
        "multiWarnCode": "multiWarningCode",
    },
)

"""Serves the face verification (655/32052, 1007/35880)."""

import json
from collections.abc import Mapping
from dataclasses import replace

from kycourier_devkit.sandbox.documents.face import face_for, other_similarity
from kycourier_devkit.sandbox.documents.face_files import draw_face, face_file_texts
from kycourier_devkit.sandbox.http.requests import Request
from kycourier_devkit.sandbox.platform import result_codes
from kycourier_devkit.sandbox.platform.parameters import (
    ResultQuery,
    SignedNames,
    check_known,
    parse_fields,
    parse_signed,
    select_flags,
    value_of,
)
from kycourier_devkit.sandbox.platform.replies import Json, format_compact
from kycourier_devkit.sandbox.platform.result_codes import PlatformError
from kycourier_devkit.sandbox.results.document import Document, OrderQuery

PHOTO, VIDEO = "photo", "video"
LIVE_RATE, SIMILARITY = "liveRate", "similarity"

_NAMES = SignedNames("appId", "orderNo", too_long=result_codes.BAD_ORDER_NO)
_FLAGS = {"getFile": 1, "queryVersion": 8}
_PARAMETERS = ("appId", "orderNo", "nonce", "version", "sign", *_FLAGS)
_FILES: Mapping[str | None, tuple[str, ...]] = {
    "1": (VIDEO, PHOTO),
    "2": (PHOTO,),
    "3": (VIDEO,),
}
_SDK_QUERY = "1.0"  # adds the fields of the SDK
_TAKEN_SECONDS_BEFORE = 30


def _parse(request: Request, app_id: str) -> ResultQuery:
    """Parses a query; its order number is in the URL and in the JSON body."""
    in_url = parse_fields(request.query)
    order_no = value_of(in_url, "orderNo")
    fields = _parse_body(request)
    parsed = parse_signed(fields, names=_NAMES, app_id=app_id)
    if order_no != parsed.order_no:
        raise PlatformError(result_codes.BAD_ORDER_NO)
    check_known(in_url, ("orderNo",))  # everything else belongs in the body
    check_known(fields, _PARAMETERS)
    return replace(parsed, flags=select_flags(fields, max_lengths=_FLAGS))


def _parse_body(request: Request) -> dict[str, str]:
    media_type = request.content_type.partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise PlatformError(result_codes.BAD_PARAMETER)
    try:
        fields = json.loads(request.body.decode(), object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise PlatformError(result_codes.BAD_PARAMETER) from None
    if not isinstance(fields, dict) or not all(map(_is_text, fields.values())):
        raise PlatformError(result_codes.BAD_PARAMETER)
    return fields


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name is repeated")
    return fields


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value.isascii()


def _result(query: OrderQuery) -> Json:
    """Builds the result of a face that is live and the person's."""
    face, flags = face_for(query.order_no), query.request.flags
    files: dict[str, str] = {}
    if asked := _FILES.get(flags.get("getFile")):
        drawn = dict(zip((PHOTO, VIDEO), face_file_texts(query.order_no), strict=True))
        files = {name: drawn[name] for name in asked}
    has_sdk_fields = flags.get("queryVersion") == _SDK_QUERY
    return {
        "orderNo": query.order_no,
        LIVE_RATE: face.live_rate,
        SIMILARITY: face.similarity,
        "occurredTime": format_compact(query.first_at - _TAKEN_SECONDS_BEFORE),
        "appId": query.request.app_id,
        **files,
        "bizSeqNo": query.biz_seq_no,
        **({"sdkVersion": "1.0.0", "trtcFlag": ""} if has_sdk_fields else {}),
        "riskInfo": {
            "deviceInfoLevel": "1",
            "deviceInfoTag": "0",
            "riskInfoLevel": "1",
            "riskInfoTag": "0",
        },
    }


FACE = Document(
    name="face",
    title="face",
    method="POST",
    path="/api/v2/base/queryfacerecord",
    parse=_parse,
    result=_result,
    secrets=lambda _: (),  # replies have neither name nor number
    small_jpeg=lambda order_no: draw_face(order_no).photo,
    originals=(PHOTO,),
    videos=(VIDEO,),
    not_ready_code=result_codes.NO_SUCH_RESULT,
    no_record_code=result_codes.NO_SUCH_RESULT,
    changed=lambda order_no: {SIMILARITY: other_similarity(order_no)},
)

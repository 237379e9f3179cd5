"""Builds the platform's replies with the documented fields."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Literal

from kycourier_devkit.sandbox.documents.bank_card import card_for
from kycourier_devkit.sandbox.documents.card_photos import photo_texts
from kycourier_devkit.sandbox.http.responses import Response, json_response
from kycourier_devkit.sandbox.platform import result_codes

Json = Mapping[str, object]
ExpireIn = Literal["string", "int"]

ORIGINAL = "originBankcardPhoto"
CROPPED = "bankcardCropPhoto"
NUMBER = "bankcardNoPhoto"
PHOTOS = (ORIGINAL, CROPPED, NUMBER)

NONCE_TICKET_SECONDS = 120
_CHINA = timezone(timedelta(hours=8))
_SCANNED_SECONDS_BEFORE = 30


@dataclass(frozen=True)
class OrderQuery:
    """One query of an order: its number, from 1 on, and instants in epoch seconds."""

    order_no: str
    number: int
    first_at: float
    now: float
    with_photos: bool

    @property
    def age_seconds(self) -> float:
        """Seconds since the order's first query."""
        return self.now - self.first_at


@dataclass(frozen=True)
class ResultReply:
    """An OCR result before it is serialized (1007/35859)."""

    outer: Json
    result: Json
    nested: bool = True

    def with_outer(self, **fields: object) -> "ResultReply":
        """Sets fields beside `result`."""
        return replace(self, outer={**self.outer, **fields})

    def with_result(self, **fields: object) -> "ResultReply":
        """Sets fields in `result`."""
        return replace(self, result={**self.result, **fields})

    def response(self) -> Response:
        """Returns it nested as in the documented sample, or flat as in the table."""
        if self.nested:
            return json_response({**self.outer, "result": self.result})
        return json_response({**self.result, **self.outer})


def token_reply(
    token: str, *, lifetime_seconds: int, now: float, expire_in: ExpireIn
) -> Json:
    """Returns a token reply (1007/37304).

    As in the documented sample, `expire_time` is the time of the call.
    """
    return {
        **_success_fields(now),
        "access_token": token,
        **_expiry_fields(lifetime_seconds, now=now, expire_in=expire_in),
    }


def ticket_reply(
    ticket: str, *, lifetime_seconds: int, now: float, expire_in: ExpireIn
) -> Json:
    """Returns a ticket reply with one entry (1007/37305)."""
    expiry = _expiry_fields(lifetime_seconds, now=now, expire_in=expire_in)
    return {**_success_fields(now), "tickets": [{"value": ticket, **expiry}]}


def error_reply(code: str, *, now: float) -> Json:
    """Returns the reply to a rejected call, or for a failed recognition."""
    return {
        "code": code,
        "msg": result_codes.message_for(code),
        "bizSeqNo": _biz_seq_no(code, now),
        "transactionTime": _format_compact(now),
    }


def result_reply(query: OrderQuery) -> ResultReply:
    """Returns a complete result; `success` is false, as in the documented sample."""
    card = card_for(query.order_no)
    biz_seq_no = _biz_seq_no(f"{query.order_no} {query.number}", query.now)
    photos = photo_texts(query.order_no) if query.with_photos else ()
    scanned_at = _china_time(query.first_at - _SCANNED_SECONDS_BEFORE)
    return ResultReply(
        outer={
            "code": result_codes.OK,
            "msg": result_codes.message_for(result_codes.OK),
            "bizSeqNo": biz_seq_no,
            "transactionTime": _format_compact(query.now),
        },
        result={
            "bizSeqNo": biz_seq_no,
            "transactionTime": _format_compact(query.now),
            "orderNo": query.order_no,
            "bankCardNo": card.number,
            "bankCardValidDate": card.valid_until,
            **dict(zip(PHOTOS, photos, strict=False)),
            "warnCode": "0",
            "multiWarnCode": "0",
            "operateTime": scanned_at.strftime("%Y-%m-%d %H:%M:%S"),
            "clarity": str(card.clarity),
            "success": False,
        },
    )


def _success_fields(now: float) -> Json:
    return {
        "code": result_codes.OK,
        "msg": result_codes.message_for(result_codes.OK),
        "transactionTime": _format_compact(now),
    }


def _expiry_fields(lifetime_seconds: int, *, now: float, expire_in: ExpireIn) -> Json:
    return {
        "expire_time": _format_compact(now),
        "expire_in": (
            lifetime_seconds if expire_in == "int" else str(lifetime_seconds)
        ),
    }


def _biz_seq_no(seed: str, now: float) -> str:
    """Returns 32 digits: date, serial number, time, as in the documented sample."""
    serial = int.from_bytes(sha256(seed.encode()).digest()[:8], "big")
    return f"{_china_time(now):%y%m%d}{serial:020}{_china_time(now):%H%M%S}"


def _format_compact(at: float) -> str:
    return f"{_china_time(at):%Y%m%d%H%M%S}"


def _china_time(at: float) -> datetime:
    return datetime.fromtimestamp(at, _CHINA)

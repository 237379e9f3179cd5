"""The platform's replies, field by field as its pages print them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Literal

from kycourier_devkit.sandbox import codes
from kycourier_devkit.sandbox.answers import Answer, json_answer
from kycourier_devkit.sandbox.cards import card_of, photo_texts

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
class Visit:
    """One query of an order: the how-manieth, and when (epoch seconds)."""

    order_no: str
    attempt: int
    first_at: float
    now: float
    with_photos: bool

    @property
    def age_seconds(self) -> float:
        """Seconds since the order's first query."""
        return self.now - self.first_at


@dataclass(frozen=True)
class ResultReply:
    """An OCR result before it is put together (1007/35859)."""

    outer: Json
    result: Json
    nested: bool = True

    def with_outer(self, **fields: object) -> "ResultReply":
        """Set fields beside `result`."""
        return replace(self, outer={**self.outer, **fields})

    def with_result(self, **fields: object) -> "ResultReply":
        """Set fields in `result`."""
        return replace(self, result={**self.result, **fields})

    def answer(self) -> Answer:
        """Nested as in the page's sample, or flat as in its table."""
        if self.nested:
            return json_answer({**self.outer, "result": self.result})
        return json_answer({**self.result, **self.outer})


def token_reply(
    token: str, *, lifetime_seconds: int, now: float, expire_in: ExpireIn
) -> Json:
    """Write a token reply (1007/37304).

    As in the page's sample `expire_time` is the time of the call: it is for display.
    """
    return {
        **_accepted(now),
        "access_token": token,
        **_expiry(lifetime_seconds, now=now, expire_in=expire_in),
    }


def ticket_reply(
    ticket: str, *, lifetime_seconds: int, now: float, expire_in: ExpireIn
) -> Json:
    """Write a ticket reply with its one entry (1007/37305)."""
    expiry = _expiry(lifetime_seconds, now=now, expire_in=expire_in)
    return {**_accepted(now), "tickets": [{"value": ticket, **expiry}]}


def refusal_reply(code: str, *, now: float) -> Json:
    """Write what any call gets that is refused, or whose order failed."""
    return {
        "code": code,
        "msg": codes.message_of(code),
        "bizSeqNo": _biz_seq_no(code, now),
        "transactionTime": _compact(now),
    }


def result_reply(visit: Visit) -> ResultReply:
    """Write a good result; `success` is false, as in the page's sample."""
    card = card_of(visit.order_no)
    biz_seq_no = _biz_seq_no(f"{visit.order_no} {visit.attempt}", visit.now)
    photos = photo_texts(visit.order_no) if visit.with_photos else ()
    scanned_at = _china(visit.first_at - _SCANNED_SECONDS_BEFORE)
    return ResultReply(
        outer={
            "code": codes.OK,
            "msg": codes.message_of(codes.OK),
            "bizSeqNo": biz_seq_no,
            "transactionTime": _compact(visit.now),
        },
        result={
            "bizSeqNo": biz_seq_no,
            "transactionTime": _compact(visit.now),
            "orderNo": visit.order_no,
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


def _accepted(now: float) -> Json:
    return {
        "code": codes.OK,
        "msg": codes.message_of(codes.OK),
        "transactionTime": _compact(now),
    }


def _expiry(lifetime_seconds: int, *, now: float, expire_in: ExpireIn) -> Json:
    return {
        "expire_time": _compact(now),
        "expire_in": (
            lifetime_seconds if expire_in == "int" else str(lifetime_seconds)
        ),
    }


def _biz_seq_no(of: str, now: float) -> str:
    """32 digits that begin with the date and end with the time, as in the sample."""
    serial = int.from_bytes(sha256(of.encode()).digest()[:8], "big")
    return f"{_china(now):%y%m%d}{serial:020}{_china(now):%H%M%S}"


def _compact(at: float) -> str:
    return f"{_china(at):%Y%m%d%H%M%S}"


def _china(at: float) -> datetime:
    return datetime.fromtimestamp(at, _CHINA)

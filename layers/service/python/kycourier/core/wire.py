"""The platform's own words: requests as it wants them, replies as it sends them.

Only here do the vendor's spellings stand, verbatim, drift included (kyc pages named
at each function).
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum

from msgspec import Struct

from kycourier.core.card import digits_of, parse_valid_until
from kycourier.core.codes import OK_CODE
from kycourier.core.drift import (
    Fields,
    matching,
    parse_china_time,
    parse_code,
    parse_lifetime,
    parse_number,
    parse_secret,
    parse_warnings,
)
from kycourier.core.errors import MalformedReply, forgetful
from kycourier.core.hidden import CardNumber, Query, ReplyBody, Secret
from kycourier.core.json_text import MalformedJson, parse_json_with_views
from kycourier.core.models import KycRequest, OrderKey, Photo, PhotoKind, Recognition
from kycourier.core.photos import decode_photo
from kycourier.core.signing import sign
from kycourier.core.ticket import LONGEST_LIFETIME

VERSION = "1.0.0"


class Profile(Enum):
    """A host and its name of the app id in token and ticket calls: they go together."""

    MINIPROGRAM = ("https://miniprogram-kyc.tencentcloudapi.com", "app_id")
    KYC1 = ("https://kyc1.qcloud.com", "appId")

    @property
    def url(self) -> str:
        """The profile's base URL."""
        return self.value[0]

    @property
    def app_id_name(self) -> str:
        """How token and ticket calls spell the app id; the query keeps `app_id`."""
        return self.value[1]


class Bought(Struct, frozen=True):
    """A token or a ticket, and how long it lives."""

    value: Secret
    lives: timedelta


class Refusal(Struct, frozen=True):
    """The platform said no: its result code."""

    code: str


def build_token_request(profile: Profile, app_id: str, secret: Secret) -> KycRequest:
    """Ask for an access token (1007/37304)."""
    return _request(
        "/api/oauth2/access_token",
        {
            profile.app_id_name: app_id,
            "secret": secret.reveal(),
            "grant_type": "client_credential",
            "version": VERSION,
        },
    )


def build_ticket_request(profile: Profile, app_id: str, token: Secret) -> KycRequest:
    """Ask for the SIGN ticket that goes with `token` (1007/37305)."""
    return _request(
        "/api/oauth2/api_ticket",
        {
            profile.app_id_name: app_id,
            "access_token": token.reveal(),
            "type": "SIGN",
            "version": VERSION,
        },
    )


def build_result_request(order: OrderKey, *, ticket: Secret, nonce: str) -> KycRequest:
    """Ask for a card scan's result with its photos (1007/35859).

    `nonce` is 32 letters and digits. `get_file` is sent, not signed.
    """
    values = (order.app_id, order.order_no, VERSION, ticket.reveal(), nonce)
    return _request(
        "/api/server/getBankCardOcrResult",
        {
            "app_id": order.app_id,
            "order_no": order.order_no,
            "get_file": "1",
            "nonce": nonce,
            "version": VERSION,
            "sign": sign(values).reveal(),
        },
    )


def _request(path: str, query: Mapping[str, str]) -> KycRequest:
    return KycRequest(path=path, query=Query(tuple(query.items())))


@forgetful
def parse_token_reply(body: ReplyBody) -> Bought | Refusal:
    """Read an access token (1007/37304); raises MalformedReply."""
    reply = _parse_object(body)
    code = parse_code(reply.get("code"))
    if code != OK_CODE:
        return Refusal(code)
    return Bought(
        parse_secret(reply.get("access_token")),
        parse_lifetime(reply.get("expire_in"), cap=LONGEST_LIFETIME),
    )


@forgetful
def parse_ticket_reply(body: ReplyBody) -> Bought | Refusal:
    """Read a SIGN ticket: exactly one entry (1007/37305); raises MalformedReply."""
    reply = _parse_object(body)
    code = parse_code(reply.get("code"))
    if code != OK_CODE:
        return Refusal(code)
    tickets = reply.get("tickets")
    if not (isinstance(tickets, list) and len(tickets) == 1):
        raise MalformedReply("not exactly one ticket")
    entry = tickets[0]
    if not isinstance(entry, dict):
        raise MalformedReply("ticket entry")
    return Bought(
        parse_secret(entry.get("value")),
        parse_lifetime(entry.get("expire_in"), cap=LONGEST_LIFETIME),
    )


@forgetful
def parse_result_reply(body: ReplyBody) -> Recognition | Refusal:
    """Read a card scan's result (1007/35859); raises MalformedReply.

    `success` means nothing and is not read. Fields stand under `result` or at the top.
    """
    reply = _parse_object(body)
    code = parse_code(reply.get("code"))
    if code != OK_CODE:
        return Refusal(code)
    nested = reply.get("result")
    fields = Fields(nested if isinstance(nested, dict) else {}, reply)
    photos = [_photo(fields, kind, names) for kind, names in _PHOTO_NAMES.items()]
    number = matching(r"(?s).{0,64}", fields.text("bankCardNo", "bankcardNo")) or ""
    card_number = CardNumber(number)
    recognized_at = parse_china_time(fields.text("operateTime"))
    order_no = fields.text("orderNo") or None
    if not (order_no or number or recognized_at or any(photos)):
        raise MalformedReply("success without a result")
    return Recognition(
        order_no=order_no,
        card_number=card_number,
        valid_until=parse_valid_until(fields.text("bankCardValidDate")),
        warnings=parse_warnings(map(fields.first, _WARNING_NAMES)),
        clarity=parse_number(fields.first("clarity")),
        recognized_at=recognized_at,
        biz_seq_no=_mark(r"[A-Za-z0-9]{1,64}", fields.text("bizSeqNo"), card_number),
        transaction_time=_mark(
            r"[0-9]{14}", fields.text("transactionTime"), card_number
        ),
        photos=tuple(photo for photo in photos if photo),
    )


_PHOTO_NAMES = {
    PhotoKind.ORIGINAL: ("originBankcardPhoto", "orginBankcardPhoto"),
    PhotoKind.CROPPED: ("bankcardCropPhoto",),
    PhotoKind.NUMBER: ("bankcardNoPhoto",),
}
_LEAST_DIGITS = 12  # of a card number; fewer stand in a mark by chance
_WARNING_NAMES = ("warnCode", "warningCode", "multiWarnCode", "multiWarningCode")


def _mark(pattern: str, text: str, number: CardNumber) -> str | None:
    """Read what is passed on in the clear; none if the card number stands in it."""
    digits = digits_of(number).reveal()
    if len(digits) >= _LEAST_DIGITS and digits in text:
        return None
    return matching(pattern, text)


def _photo(fields: Fields, kind: PhotoKind, names: tuple[str, ...]) -> Photo | None:
    """Read a photo; a crop that cannot be read is as good as missing."""
    try:
        return _parse_photo(kind, fields.first(*names))
    except MalformedReply:
        if kind is PhotoKind.ORIGINAL:
            raise
    return None


def _parse_photo(kind: PhotoKind, value: object) -> Photo | None:
    if value is None:
        return None
    if not isinstance(value, str | memoryview):
        raise MalformedReply("photo is not text")
    return decode_photo(kind, value)


def _parse_object(body: ReplyBody) -> dict[str, object]:
    try:
        reply = parse_json_with_views(body.reveal())
    except MalformedJson:
        reply = None
    if not isinstance(reply, dict):
        raise MalformedReply("not a JSON object")
    return reply

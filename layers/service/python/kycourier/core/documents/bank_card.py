"""The bank card: its query, reply, photos, and what may be shown of it (1007/35859)."""

from collections.abc import Mapping
from enum import Enum
from typing import cast

from msgspec import Struct

from kycourier.core.causes import Cause
from kycourier.core.documents.bank_card_issuers import load_issuers
from kycourier.core.documents.bank_card_numbers import (
    CardNumber,
    digits_of,
    is_luhn_valid,
    mask_number,
    occurs_in,
)
from kycourier.core.documents.photos import decode_optional_photo, decode_photo
from kycourier.core.documents.printed_dates import (
    is_expired,
    parse_valid_until,
    printable_date,
)
from kycourier.core.documents.recognition import (
    NO_OPTIONS,
    Document,
    Options,
    Photo,
    Recognition,
)
from kycourier.core.errors import MalformedReplyError
from kycourier.core.fingerprints import FingerprintKey, fingerprint
from kycourier.core.redaction import (
    Redacted,
    ReplyBody,
    Secret,
    repr_only,
    scrub_traceback,
)
from kycourier.core.result_codes import OK_CODE, Rejected, load_codes
from kycourier.core.wire.lenient_fields import (
    Fields,
    matching,
    parse_china_time,
    parse_code,
    parse_number,
    parse_object,
    parse_warnings,
)
from kycourier.core.wire.messages import KycRequest
from kycourier.core.wire.requests import build_signed_query

_PATH = "/api/server/getBankCardOcrResult"
_WARNING_NAMES = ("warnCode", "warningCode", "multiWarnCode", "multiWarningCode")


class PhotoKind(str, Enum):
    """The photos of a card scan; only the original decides completeness."""

    ORIGINAL = "original"
    CROPPED = "cropped"
    NUMBER = "number"


_PHOTO_NAMES = {
    PhotoKind.ORIGINAL: ("originBankcardPhoto", "orginBankcardPhoto"),
    PhotoKind.CROPPED: ("bankcardCropPhoto",),
    PhotoKind.NUMBER: ("bankcardNoPhoto",),
}


class PrintedDate(Redacted[str]):
    """The validity date as the platform sent it: any text."""

    __slots__ = ()


@repr_only()
class CardFields(Struct, frozen=True, kw_only=True):
    """What is recognized on a card.

    `valid_until` is `YYYY-MM` or None, `valid_until_text` what may be shown of it, and
    `valid_until_sent` all of it; `warnings` are codes as sent.
    """

    number: CardNumber
    valid_until: str | None = None
    valid_until_text: str | None = None
    valid_until_sent: PrintedDate = PrintedDate("")
    warnings: tuple[str, ...] = ()
    clarity: int | float | None = None


class BankCard:
    """The bank card as a document type."""

    name = Document("bank_card")
    photo_kinds = tuple(kind.value for kind in PhotoKind)

    def build_request(
        self,
        *,
        app_id: str,
        order_no: str,
        ticket: Secret,
        nonce: str,
        options: Options = NO_OPTIONS,  # noqa: ARG002 - a card leaves no choice
    ) -> KycRequest:
        """Builds the query for a card scan's result with its photos."""
        return build_signed_query(
            _PATH,
            app_id=app_id,
            order_no=order_no,
            ticket=ticket,
            nonce=nonce,
            unsigned={"get_file": "1"},
        )

    @scrub_traceback
    def parse_reply(
        self,
        body: ReplyBody,
        options: Options = NO_OPTIONS,  # noqa: ARG002 - a card leaves no choice
    ) -> Recognition | Rejected:
        """Parses a card scan's result. Raises MalformedReplyError.

        `success` carries no information and is not read. Fields are under `result` or
        at the top level.
        """
        reply = parse_object(body)
        code = parse_code(reply.get("code"))
        if code != OK_CODE:
            return load_codes(BankCard.name).classify(code)
        nested = reply.get("result")
        return _parse_recognition(
            Fields(nested if isinstance(nested, dict) else {}, reply)
        )

    def mask(
        self, recognition: Recognition, key: FingerprintKey
    ) -> Mapping[str, object]:
        """Builds what event and manifest show: never the number itself."""
        fields = cast("CardFields", recognition.fields)
        digits = digits_of(fields.number)
        at = recognition.recognized_at
        names = load_codes(BankCard.name)
        return {
            "card": {
                "number_masked": mask_number(fields.number),
                "number_fingerprint": fingerprint(digits.expose(), key),
                "length": len(digits.expose()) or None,
                "luhn_valid": is_luhn_valid(fields.number),
                "issuer": load_issuers().find(digits.expose()),
                "valid_until": fields.valid_until,
                "valid_until_text": fields.valid_until_text,
                "expired": is_expired(fields.valid_until, at),
            },
            "quality": {
                "clarity": fields.clarity,
                "warnings": [
                    {"code": code, "name": names.warning_name(code)}
                    for code in fields.warnings
                ],
            },
            "recognized_at": at.isoformat() if at else None,
        }

    def reveal(self, recognition: Recognition) -> Mapping[str, object]:
        """Builds what is sealed: the number as digits and as spelled, and the date."""
        fields = cast("CardFields", recognition.fields)
        return {
            "card": {
                "number": digits_of(fields.number).expose() or None,
                "number_text": fields.number.expose() or None,
                "valid_until_text": fields.valid_until_sent.expose() or None,
            }
        }

    def identity(self, masked: Mapping[str, object]) -> object:
        """Returns the card; quality and time may differ from query to query."""
        return masked["card"]

    def headline(self, masked: Mapping[str, object]) -> str | None:
        """Returns the masked number."""
        card = masked["card"]
        return card.get("number_masked") if isinstance(card, dict) else None


def _parse_recognition(fields: Fields) -> Recognition:
    photos = [_parse_photo(fields, kind) for kind in PhotoKind]
    present = {photo.kind for photo in photos if photo}
    number = matching(r"(?s).{0,64}", fields.text("bankCardNo", "bankcardNo")) or ""
    recognized_at = parse_china_time(fields.text("operateTime"))
    order_no = fields.text("orderNo") or None
    if not (order_no or number or recognized_at or present):
        raise MalformedReplyError(Cause.REPLY_MALFORMED, "result")
    card_number = CardNumber(number)
    valid_until = fields.text("bankCardValidDate")
    photos_missing = tuple(
        kind.value for kind in PhotoKind if kind.value not in present
    )
    return Recognition(
        order_no=order_no,
        fields=CardFields(
            number=card_number,
            valid_until_sent=PrintedDate(valid_until),
            valid_until=parse_valid_until(valid_until),
            valid_until_text=printable_date(valid_until),
            warnings=parse_warnings(map(fields.first, _WARNING_NAMES)),
            clarity=parse_number(fields.first("clarity")),
        ),
        photos=tuple(photo for photo in photos if photo),
        photos_missing=photos_missing,
        is_incomplete=PhotoKind.ORIGINAL.value not in present,
        recognized_at=recognized_at,
        biz_seq_no=_parse_mark(
            r"[A-Za-z0-9]{1,64}", fields.text("bizSeqNo"), card_number
        ),
        transaction_time=_parse_mark(
            r"[0-9]{14}", fields.text("transactionTime"), card_number
        ),
    )


def _parse_mark(pattern: str, text: str, number: CardNumber) -> str | None:
    """Parses what is passed on in clear; None if the card number occurs in it."""
    return None if occurs_in(text, number) else matching(pattern, text)


def _parse_photo(fields: Fields, kind: PhotoKind) -> Photo | None:
    """Parses a photo; a crop that cannot be read counts as missing."""
    decode = decode_photo if kind is PhotoKind.ORIGINAL else decode_optional_photo
    return decode(kind.value, fields.first(*_PHOTO_NAMES[kind]))

"""The bank card: its query, reply, photos, and what may be shown of it (1007/35859)."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import cast

from msgspec import Struct

from kycourier.core.causes import Cause
from kycourier.core.documents.bank_card_issuers import load_issuers
from kycourier.core.documents.photos import decode_photo
from kycourier.core.documents.printed_dates import (
    is_expired,
    parse_valid_until,
    printable_date,
)
from kycourier.core.documents.recognition import Photo, Recognition
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

CODES = "bank_card"
_PATH = "/api/server/getBankCardOcrResult"
_SHOWN_HEAD, _SHOWN_TAIL, _MIN_HIDDEN = 6, 4, 6
_MIN_DIGITS = 12  # of a card number; fewer may occur in an identifier by chance
_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)}
_NO_DIGITS = re.compile("[^0-9]")
_SPELLED_NUMBER = re.compile("[0-9 -]*")
_LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
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


class CardNumber(Redacted[str]):
    """The card number as the platform spelled it: any text, `xxxx…` included."""

    __slots__ = ()


@repr_only()
class CardFields(Struct, frozen=True, kw_only=True):
    """What is recognized on a card.

    `valid_until` is `YYYY-MM` or None, and `valid_until_text` what is printed;
    `warnings` are codes as sent.
    """

    number: CardNumber
    valid_until: str | None = None
    valid_until_text: str | None = None
    warnings: tuple[str, ...] = ()
    clarity: int | float | None = None


class BankCard:
    """The bank card as a document type."""

    photo_kinds = tuple(kind.value for kind in PhotoKind)

    def build_request(
        self, *, app_id: str, order_no: str, ticket: Secret, nonce: str
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
    def parse_reply(self, body: ReplyBody) -> Recognition | Rejected:
        """Parses a card scan's result. Raises MalformedReplyError.

        `success` carries no information and is not read. Fields are under `result` or
        at the top level.
        """
        reply = parse_object(body)
        code = parse_code(reply.get("code"))
        if code != OK_CODE:
            return load_codes(CODES).classify(code)
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
        names = load_codes(CODES)
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

    def identity(self, masked: Mapping[str, object]) -> object:
        """Returns the card; quality and time may differ from query to query."""
        return masked["card"]


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
    return Recognition(
        order_no=order_no,
        fields=CardFields(
            number=card_number,
            valid_until=parse_valid_until(valid_until),
            valid_until_text=printable_date(valid_until),
            warnings=parse_warnings(map(fields.first, _WARNING_NAMES)),
            clarity=parse_number(fields.first("clarity")),
        ),
        photos=tuple(photo for photo in photos if photo),
        photos_missing=tuple(
            kind.value for kind in PhotoKind if kind.value not in present
        ),
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
    """Parses what is passed on in clear; None if the card number occurs in it.

    All digits count, also of a text that is no card number.
    """
    digits = _NO_DIGITS.sub("", number.expose().translate(_FULL_WIDTH))
    if len(digits) >= _MIN_DIGITS and digits in text:
        return None
    return matching(pattern, text)


def _parse_photo(fields: Fields, kind: PhotoKind) -> Photo | None:
    """Parses a photo; a crop that cannot be read counts as missing."""
    try:
        return decode_photo(kind.value, fields.first(*_PHOTO_NAMES[kind]))
    except MalformedReplyError:
        if kind is PhotoKind.ORIGINAL:
            raise
    return None


def digits_of(number: CardNumber) -> CardNumber:
    """Returns the digits alone, full-width ones as ASCII; blanks and dashes go.

    A text with anything else is no card number, and has no digits.
    """
    text = number.expose().translate(_FULL_WIDTH).strip()
    if not _SPELLED_NUMBER.fullmatch(text):
        return CardNumber("")
    return CardNumber(text.replace(" ", "").replace("-", ""))


def mask_number(number: CardNumber) -> str | None:
    """Shows at most the first six and last four digits (PCI DSS 3.4.1).

    If that would hide fewer than six digits only the last four are shown; of four
    digits or fewer, none. Returns None if there are no digits.
    """
    digits = digits_of(number).expose()
    if not digits:
        return None
    hidden = len(digits) - _SHOWN_HEAD - _SHOWN_TAIL
    if hidden >= _MIN_HIDDEN:
        return f"{digits[:_SHOWN_HEAD]}{'*' * hidden}{digits[-_SHOWN_TAIL:]}"
    if len(digits) <= _SHOWN_TAIL:
        return "*" * len(digits)
    return f"{'*' * (len(digits) - _SHOWN_TAIL)}{digits[-_SHOWN_TAIL:]}"


def is_luhn_valid(number: CardNumber) -> bool | None:
    """Checks the Luhn digit: a hint, not a rejection. Returns None without digits."""
    digits = digits_of(number).expose()
    if not digits:
        return None
    plain = sum(int(digit) for digit in digits[-1::-2])
    doubled = sum(_LUHN_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return (plain + doubled) % 10 == 0

"""The ID card: its query, reply, photos, and what may be shown of it (1007/35864)."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import cast

from kycourier.core.causes import Cause
from kycourier.core.documents.id_card_numbers import (
    PersonName,
    is_id_number_valid,
    mask_id_number,
    mask_name,
    parse_id_number,
)
from kycourier.core.documents.id_card_reply import (
    PHOTO_NAMES,
    TEXTS,
    IdCardFields,
    Side,
    SideQuality,
    parse_side_code,
    parse_sides,
)
from kycourier.core.documents.printed_dates import Period, parse_day, parse_period
from kycourier.core.documents.recognition import (
    NO_OPTIONS,
    Document,
    Options,
    Recognition,
)
from kycourier.core.errors import MalformedReplyError
from kycourier.core.fingerprints import FingerprintKey, fingerprint
from kycourier.core.redaction import (
    ReplyBody,
    Secret,
    scrub_traceback,
)
from kycourier.core.result_codes import OK_CODE, CodeClass, Rejected, load_codes
from kycourier.core.wire.lenient_fields import (
    CHINA,
    Fields,
    parse_code,
    parse_object,
)
from kycourier.core.wire.messages import KycRequest
from kycourier.core.wire.requests import build_signed_query

_PATH = "/api/server/getOcrResult"
_SEXES = {"男": "male", "女": "female"}
_MASK_NAMES = (  # by their place in a side's mask
    "border_incomplete",
    "photocopy",
    "invalid_date",
    "rephotographed",
    "temporary_card",
    "covered",
    "edited",
    "glare",
)


class CardSides(str, Enum):
    """Which sides must have been recognized."""

    BOTH = "both"
    FRONT = "front"
    ANY = "any"


class IdCard:
    """The ID card as a document type."""

    name = Document("id_card")
    photo_kinds = tuple(kind for kinds in PHOTO_NAMES.values() for kind in kinds)

    def build_request(
        self,
        *,
        app_id: str,
        order_no: str,
        ticket: Secret,
        nonce: str,
        options: Options = NO_OPTIONS,  # noqa: ARG002 - both sides come in one reply
    ) -> KycRequest:
        """Builds the query for a scan's result with its photos."""
        return build_signed_query(
            _PATH,
            app_id=app_id,
            order_no=order_no,
            ticket=ticket,
            nonce=nonce,
            unsigned={"get_file": "1", "get_native": "1"},
        )

    @scrub_traceback
    def parse_reply(
        self, body: ReplyBody, options: Options = NO_OPTIONS
    ) -> Recognition | Rejected:
        """Parses a scan's result; a wanted side that failed refuses it.

        `success` carries no information and is not read. Fields are under `result` or
        at the top level.

        Raises:
            MalformedReplyError: it is not JSON, or has neither side nor order.
        """
        reply = parse_object(body)
        code = parse_code(reply.get("code"))
        if code != OK_CODE:
            return load_codes(self.name).classify(code)
        nested = reply.get("result")
        fields = Fields(nested if isinstance(nested, dict) else {}, reply)
        codes = {side: parse_side_code(fields, side) for side in Side}
        if not any(codes.values()) and not fields.text("orderNo"):
            raise MalformedReplyError(Cause.REPLY_MALFORMED, "result")
        if (
            failed := _find_failed_side(
                codes, CardSides(options.get("id_card_sides", CardSides.BOTH))
            )
        ) is not None:
            return _refuse(failed, codes[failed])
        sides = tuple(side for side, code in codes.items() if code == OK_CODE)
        return parse_sides(fields, sides)

    def mask(
        self, recognition: Recognition, key: FingerprintKey
    ) -> Mapping[str, object]:
        """Builds what event and manifest show: neither number nor name."""
        card = cast("IdCardFields", recognition.fields)
        at = recognition.recognized_at
        number = parse_id_number(card.text("number"))
        period = parse_period(card.text("valid_period"))
        birth = parse_day(card.text("birth"))
        return {
            "id_card": {
                "sides": [side.value for side in card.sides],
                "name_masked": mask_name(PersonName(card.text("name"))),
                "number_masked": mask_id_number(number),
                "number_fingerprint": fingerprint(number.expose(), key),
                "number_valid": is_id_number_valid(number),
                "birth_year": birth and birth.year,
                "sex": _SEXES.get(card.text("sex")),
                "valid_from": period.begins and period.begins.isoformat(),
                "valid_until": period.ends and period.ends.isoformat(),
                "valid_long_term": period.is_long_term,
                "expired": _is_expired(period, at),
                "warnings": [
                    warning
                    for side in card.sides
                    for warning in _list_warnings(side, card.quality[side])
                ],
                "warning_masks": {
                    side.value: card.quality[side].mask for side in card.sides
                },
                "clarity": {
                    side.value: card.quality[side].clarity for side in card.sides
                },
            },
            "recognized_at": at.isoformat() if at else None,
        }

    def reveal(self, recognition: Recognition) -> Mapping[str, object]:
        """Builds what is sealed: every text as it was recognized."""
        card = cast("IdCardFields", recognition.fields)
        return {"id_card": {name: card.text(name) or None for name in TEXTS}}

    def identity(self, masked: Mapping[str, object]) -> object:
        """Returns the card; clarity and warnings may differ from query to query."""
        card = cast("Mapping[str, object]", masked["id_card"])
        changing = {"warnings", "warning_masks", "clarity"}
        return {name: value for name, value in card.items() if name not in changing}

    def headline(self, masked: Mapping[str, object]) -> str | None:
        """Returns the masked number."""
        card = masked["id_card"]
        return card.get("number_masked") if isinstance(card, dict) else None


def _find_failed_side(
    codes: Mapping[Side, str | None], wanted: CardSides
) -> Side | None:
    """Returns the side that was wanted and does not count; None if enough count."""
    failed = [side for side, code in codes.items() if code != OK_CODE]
    if wanted is CardSides.BOTH:
        return failed[0] if failed else None
    if wanted is CardSides.FRONT:
        return Side.FRONT if Side.FRONT in failed else None
    scanned = [side for side in failed if codes[side]]
    return (scanned or failed)[0] if len(failed) == len(codes) else None


def _refuse(side: Side, code: str | None) -> Rejected:
    """Returns why a side was refused: its code, or that it was not scanned."""
    if code is None:
        name = f"{side.value}_not_scanned"
        return Rejected(OK_CODE, CodeClass.RECOGNITION_FAILED, name)
    known = load_codes(IdCard.name).classify(code)
    is_known = known.class_ is not CodeClass.UNKNOWN
    name = known.name if is_known else f"{side.value}_not_recognized"
    return Rejected(code, CodeClass.RECOGNITION_FAILED, name)


def _list_warnings(side: Side, quality: SideQuality) -> list[Mapping[str, object]]:
    """Lists a side's warnings: codes as sent, and names of the mask's places."""
    names = load_codes(IdCard.name)
    found: list[tuple[str | None, str]] = [
        (code, names.warning_name(code)) for code in quality.codes
    ]
    found += [
        (None, name)
        for place, name in zip(quality.mask or "", _MASK_NAMES, strict=False)
        if place == "1"
    ]
    return [{"side": side.value, "code": code, "name": name} for code, name in found]


def _is_expired(period: Period, at: datetime | None) -> bool | None:
    """Checks whether the card was past its last day in UTC+8 when it was recognized."""
    if period.is_long_term:
        return False
    if period.ends is None or at is None:
        return None
    return at.astimezone(CHINA).date() > period.ends

"""Reads the reply of an ID card's scan: sides, texts, photos, what was noticed."""

import re
from collections.abc import Mapping
from enum import Enum

from msgspec import Struct

from kycourier.core.documents.id_card_numbers import parse_id_number
from kycourier.core.documents.photos import decode_optional_photo, decode_photo
from kycourier.core.documents.recognition import Photo, Recognition
from kycourier.core.redaction import Redacted, repr_only
from kycourier.core.wire.lenient_fields import (
    UNREADABLE_CODE,
    Fields,
    matching,
    parse_china_time,
    parse_number,
    parse_sequence_no,
    parse_warnings,
)

_MASK = re.compile("[01]{8,32}")
TEXTS = {  # our name → the platform's spellings, the longest text
    "name": (("name", "Name"), 64),
    "sex": (("sex", "Sex"), 8),
    "nation": (("nation", "Nation"), 32),
    "birth": (("birth", "Birth"), 16),
    "address": (("address", "Address"), 256),
    "number": (("idcard", "Idcard"), 64),
    "native_place": (("nativePlace",), 128),
    "authority": (("authority", "Authority"), 128),
    "valid_period": (("validDate", "validate"), 64),
}


class Side(str, Enum):
    """A side of the card: with the portrait, or with the emblem."""

    FRONT = "front"
    BACK = "back"


_OF_SIDE = {
    Side.FRONT: (
        "name", "sex", "nation", "birth", "address", "number", "native_place"
    ),
    Side.BACK: ("authority", "valid_period"),
}  # fmt: skip
PHOTO_NAMES = {  # the first of a side is its original
    Side.FRONT: {
        "front": "frontPhoto",
        "front_crop": "frontCrop",
        "portrait": "headPhoto",
    },
    Side.BACK: {"back": "backPhoto", "back_crop": "backCrop"},
}


class RecognizedTexts(Redacted[Mapping[str, str]]):
    """The texts of the sides that count, by our names, as recognized."""

    __slots__ = ()


@repr_only()
class SideQuality(Struct, frozen=True, kw_only=True):
    """What was noticed on a side: codes, a mask of eight places, clarity."""

    codes: tuple[str, ...]
    mask: str | None
    clarity: int | float | None


@repr_only()
class IdCardFields(Struct, frozen=True, kw_only=True):
    """What is recognized on the sides that count."""

    texts: RecognizedTexts
    sides: tuple[Side, ...]
    quality: Mapping[Side, SideQuality]

    def text(self, name: str) -> str:
        """Returns a text as recognized, "" if there is none."""
        return self.texts.expose().get(name, "")


def parse_side_code(fields: Fields, side: Side) -> str | None:
    """Parses a side's code; None for a side that was not scanned."""
    text = fields.text(f"{side.value}Code")
    return (matching(r"-?[0-9]{1,9}", text) or UNREADABLE_CODE) if text else None


def parse_sides(fields: Fields, sides: tuple[Side, ...]) -> Recognition:
    """Parses the sides that count. Raises MalformedReplyError for a broken original."""
    texts = {
        name: text
        for side in sides
        for name in _OF_SIDE[side]
        if (text := _parse_text(fields, name))
    }
    photos: list[Photo] = []
    missing: list[str] = []
    is_incomplete = False
    for side in sides:
        for at, (kind, sent_as) in enumerate(PHOTO_NAMES[side].items()):
            decode = decode_optional_photo if at else decode_photo
            photo = decode(kind, fields.first(sent_as))
            if photo is None:
                missing.append(kind)
                is_incomplete |= at == 0
            else:
                photos.append(photo)
    number = parse_id_number(texts.get("number", "")).expose()
    biz_seq_no = fields.text("bizSeqNo")
    if number and number in biz_seq_no:
        biz_seq_no = ""
    return Recognition(
        order_no=fields.text("orderNo") or None,
        fields=IdCardFields(
            texts=RecognizedTexts(texts),
            sides=sides,
            quality={side: _parse_quality(fields, side) for side in sides},
        ),
        photos=tuple(photos),
        photos_missing=tuple(missing),
        is_settled=not is_incomplete,  # a crop may be empty for good
        is_incomplete=is_incomplete,
        recognized_at=parse_china_time(fields.text("operateTime")),
        biz_seq_no=parse_sequence_no(biz_seq_no),
        transaction_time=matching(r"[0-9]{14}", fields.text("transactionTime")),
    )


def _parse_text(fields: Fields, name: str) -> str:
    """Parses a text; one that is too long or has no form of a text is none."""
    spellings, longest = TEXTS[name]
    text = fields.text(*spellings).strip()
    return text if len(text) <= longest and text.isprintable() else ""


def _parse_quality(fields: Fields, side: Side) -> SideQuality:
    mask = fields.text(f"{side.value}MultiWarning")
    return SideQuality(
        codes=parse_warnings([fields.first(f"{side.value}WarnCode")]),
        mask=mask if _MASK.fullmatch(mask) else None,
        clarity=parse_number(fields.first(f"{side.value}Clarity")),
    )

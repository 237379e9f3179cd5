"""Face verification: its query, reply, files, and what may be shown (655/32052)."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import cast

from msgspec import Struct

from kycourier.core.causes import Cause
from kycourier.core.documents.photos import decode_optional_photo, decode_photo
from kycourier.core.documents.recognition import (
    NO_OPTIONS,
    Document,
    Options,
    Photo,
    Recognition,
)
from kycourier.core.errors import MalformedReplyError
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.redaction import (
    Redacted,
    ReplyBody,
    Secret,
    repr_only,
    scrub_traceback,
)
from kycourier.core.result_codes import OK_CODE, CodeClass, Rejected, load_codes
from kycourier.core.timing import FACE_VIDEO_PATIENCE
from kycourier.core.wire.lenient_fields import (
    Fields,
    matching,
    parse_code,
    parse_compact_time,
    parse_number,
    parse_object,
    parse_sequence_no,
    to_text,
)
from kycourier.core.wire.messages import KycRequest
from kycourier.core.wire.requests import build_signed_call

_PATH = "/api/v2/base/queryfacerecord"
_QUERY_VERSION = "1.0"  # adds the SDK's version
_PHOTO, _VIDEO = "photo", "video"


class FaceFiles(str, Enum):
    """Which files are fetched and stored."""

    PHOTO = "photo"
    PHOTO_AND_VIDEO = "photo_and_video"
    NONE = "none"


_MAX_VIDEO_REPLY_BYTES = 32 * 1024 * 1024
_FILES = {  # the parameter that asks for them, and their kinds
    FaceFiles.NONE: ("0", ()),
    FaceFiles.PHOTO: ("2", (_PHOTO,)),
    FaceFiles.PHOTO_AND_VIDEO: ("1", (_PHOTO, _VIDEO)),
}
_TEXTS = {  # our name → the platform's
    "live_rate": "liveRate",
    "similarity": "similarity",
    "occurred_at": "occurredTime",
    "sdk_version": "sdkVersion",
    "trtc_flag": "trtcFlag",
}
_RISKS = {
    "device_level": "deviceInfoLevel",
    "device_tag": "deviceInfoTag",
    "risk_level": "riskInfoLevel",
    "risk_tag": "riskInfoTag",
}
_MAX_TEXT = 256
# A text with many digits may be a personal number.
_VERSION = r"(?!.*[0-9]{7})[A-Za-z0-9._-]{1,32}"
_LEVEL = r"[A-Za-z0-9_-]{1,8}"


class FaceTexts(Redacted[Mapping[str, str]]):
    """Scores, time, version and risk by our names, as the platform sent them."""

    __slots__ = ()


@repr_only()
class FaceFields(Struct, frozen=True, kw_only=True):
    """The outcome: `is_verified` is the platform's code alone."""

    is_verified: bool
    occurred_at: datetime | None
    texts: FaceTexts

    def text(self, name: str) -> str:
        """Returns a text as sent, "" if there is none."""
        return self.texts.expose()[name]


class Face:
    """Face verification as a document type."""

    name = Document("face")
    photo_kinds: tuple[str, ...] = (_PHOTO, _VIDEO)

    def build_request(
        self,
        *,
        app_id: str,
        order_no: str,
        ticket: Secret,
        nonce: str,
        options: Options = NO_OPTIONS,
    ) -> KycRequest:
        """Builds the query for a verification's result with the wanted files.

        A reply with a video may be larger than others.
        """
        get_file, kinds = _wanted_files(options)
        return build_signed_call(
            _PATH,
            app_id=app_id,
            order_no=order_no,
            ticket=ticket,
            nonce=nonce,
            unsigned={"getFile": get_file, "queryVersion": _QUERY_VERSION},
            max_reply_bytes=_MAX_VIDEO_REPLY_BYTES if _VIDEO in kinds else None,
        )

    @scrub_traceback
    def parse_reply(
        self, body: ReplyBody, options: Options = NO_OPTIONS
    ) -> Recognition | Rejected:
        """Parses a verification's result; the code alone decides, no score does.

        A refusal with a photo is a result too: its evidence is kept.

        Raises:
            MalformedReplyError: it is not JSON, or a success without any result.
        """
        reply = parse_object(body)
        code = parse_code(reply.get("code"))
        nested = reply.get("result")
        fields = Fields(nested if isinstance(nested, dict) else {}, reply)
        _, kinds = _wanted_files(options)
        if code == OK_CODE:
            return _parse_verified(fields, kinds)
        refused = load_codes(self.name).classify(code)
        if refused.class_ is not CodeClass.RECOGNITION_FAILED:
            return refused
        photos = [
            photo
            for kind in kinds
            if (photo := decode_optional_photo(kind, fields.first(kind)))
        ]
        return _recognize(fields, kinds, photos, refusal=refused) if photos else refused

    def mask(
        self,
        recognition: Recognition,
        key: FingerprintKey,  # noqa: ARG002 - no number is recognized
    ) -> Mapping[str, object]:
        """Builds what event and manifest show: scores, and of the risk its levels."""
        face = cast("FaceFields", recognition.fields)
        at = face.occurred_at
        names = ("device_level", "risk_level")
        levels = {name: matching(_LEVEL, face.text(name)) for name in names}
        return {
            "face": {
                "verified": face.is_verified,
                "live_rate": parse_number(face.text("live_rate")),
                "similarity": parse_number(face.text("similarity")),
                "occurred_at": at.isoformat() if at else None,
                "sdk_version": matching(_VERSION, face.text("sdk_version")),
                "risk": levels if any(levels.values()) else None,
            }
        }

    def reveal(self, recognition: Recognition) -> Mapping[str, object]:
        """Builds what is sealed: every text as it was sent."""
        face = cast("FaceFields", recognition.fields)
        return {"face": {each: face.text(each) or None for each in (*_TEXTS, *_RISKS)}}

    def identity(self, masked: Mapping[str, object]) -> object:
        """Returns the outcome."""
        return masked["face"]

    def headline(self, masked: Mapping[str, object]) -> str | None:
        """Returns the outcome in a word."""
        face = cast("Mapping[str, object]", masked["face"])
        return "verified" if face["verified"] else "refused"


def _wanted_files(options: Options) -> tuple[str, tuple[str, ...]]:
    """Returns the entry of the wanted files."""
    return _FILES[FaceFiles(options.get("face_files", FaceFiles.PHOTO))]


def _parse_verified(fields: Fields, kinds: tuple[str, ...]) -> Recognition:
    photos = []
    for kind in kinds:  # a video that cannot be read is missing
        decode = decode_photo if kind == _PHOTO else decode_optional_photo
        if photo := decode(kind, fields.first(kind)):
            photos.append(photo)
    names = (*_TEXTS.values(), "orderNo")
    if not photos and not any(fields.text(name) for name in names):
        raise MalformedReplyError(Cause.REPLY_MALFORMED, "result")
    return _recognize(fields, kinds, photos, refusal=None)


def _recognize(
    fields: Fields,
    kinds: tuple[str, ...],
    photos: list[Photo],
    *,
    refusal: Rejected | None,
) -> Recognition:
    present = {photo.kind for photo in photos}
    missing = tuple(each for each in kinds if each not in present)
    return Recognition(
        order_no=fields.text("orderNo") or None,
        fields=FaceFields(
            is_verified=refusal is None,
            occurred_at=parse_compact_time(fields.text("occurredTime")),
            texts=FaceTexts(_read_texts(fields)),
        ),
        photos=tuple(photos),
        photos_missing=missing,
        is_settled=refusal is not None,
        is_incomplete=bool(missing) and refusal is None,
        patience=FACE_VIDEO_PATIENCE if missing == (_VIDEO,) else None,
        refusal=refusal,
        biz_seq_no=parse_sequence_no(fields.text("bizSeqNo")),
        transaction_time=matching(r"[0-9]{14}", fields.text("transactionTime")),
    )


def _read_texts(fields: Fields) -> dict[str, str]:
    risk = fields.first("riskInfo")
    levels = Fields(risk if isinstance(risk, dict) else {})
    found = {name: _to_text(fields.first(sent)) for name, sent in _TEXTS.items()}
    found |= {name: _to_text(levels.first(sent)) for name, sent in _RISKS.items()}
    return found


def _to_text(value: object) -> str:
    """Returns a short text; a number is one, too."""
    text = str(value) if isinstance(value, float) else to_text(value)
    return text if len(text) <= _MAX_TEXT and text.isprintable() else ""

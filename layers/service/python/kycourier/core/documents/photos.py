"""Decodes photos and videos: strict Base64, and a media type by their first bytes."""

import hashlib
import re
from contextlib import suppress

import pybase64

from kycourier.core.causes import Cause
from kycourier.core.documents.recognition import Photo
from kycourier.core.errors import MalformedReplyError
from kycourier.core.redaction import PhotoBytes

_LINE_BREAKS = b"\r\n"
_MIN_BYTES = 64  # fewer are no picture: "null" and "None" are Base64 too
_PICTURE_BRANDS = {b"heic", b"heix", b"mif1", b"msf1", b"avif"}  # also start so
_DATA_URI = re.compile(rb"data:[\w.+-]{1,64}/[\w.+-]{1,64};base64,")


def decode_photo(kind: str, value: object) -> Photo | None:
    """Decodes one photo field of a reply; returns None if it is absent or too short.

    Line breaks and a data-URI prefix are tolerated (whether they occur is not
    documented, 1007/35859); all else is strict: a blank was a `+` once.

    Raises:
        MalformedReplyError: it is no text, or not Base64.
    """
    if value is None:
        return None
    if not isinstance(value, str | memoryview):
        raise MalformedReplyError(Cause.PHOTO_UNREADABLE, kind)
    content = _decode_base64(value)
    if content is None:
        raise MalformedReplyError(Cause.PHOTO_UNREADABLE, kind)
    if len(content) < _MIN_BYTES:
        return None
    return Photo(
        kind=kind,
        content=PhotoBytes(content),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        media_type=sniff_media_type(content),
    )


def decode_optional_photo(kind: str, value: object) -> Photo | None:
    """Decodes a photo that decides nothing: one that cannot be read is missing."""
    with suppress(MalformedReplyError):
        return decode_photo(kind, value)
    return None


def _decode_base64(text: str | memoryview) -> bytes | None:
    """Decodes Base64 of exactly one spelling; returns None for anything else."""
    if isinstance(text, str):
        if not text.isascii():
            return None
        encoded = text.encode().translate(None, _LINE_BREAKS)
        text = memoryview(encoded)
    if prefix := _DATA_URI.match(text):
        text = text[prefix.end() :]
    try:
        content = pybase64.b64decode(text, validate=True)
    except ValueError:
        return None
    return content if _is_canonical(text, content) else None


def _is_canonical(text: memoryview, content: bytes) -> bool:
    """Checks that the unused bits before the padding are zero."""
    tail = len(content) % 3
    return not tail or pybase64.b64encode(content[-tail:]) == bytes(text[-4:])


def sniff_media_type(content: bytes) -> str:
    """Returns JPEG, PNG, WebP or MP4 by the first bytes; anything else is octets."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp" and content[8:12] not in _PICTURE_BRANDS:
        return "video/mp4"
    return "application/octet-stream"

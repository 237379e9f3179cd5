"""Card photos: strict Base64, a media type by its first bytes, and an object key."""

import hashlib
import re

import pybase64

from kycourier.core.errors import MalformedReply
from kycourier.core.hidden import PhotoBytes
from kycourier.core.models import Photo, PhotoKind

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/json": "json",
}
_WHITE = b" \t\r\n"
_DATA_URI = re.compile(rb"data:[\w.+-]{1,64}/[\w.+-]{1,64};base64,")


def decode_photo(kind: PhotoKind, text: str | memoryview) -> Photo | None:
    """Decode one photo field of a reply; None when it is empty.

    Line breaks and a data-URI prefix are tolerated (whether they occur is not
    documented, 1007/35859); all else is strict. Raises MalformedReply.
    """
    content = _decode_base64(text)
    if not content:
        return None
    return Photo(
        kind=kind,
        content=PhotoBytes(content),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        media_type=sniff_media_type(content),
    )


def _decode_base64(text: str | memoryview) -> bytes:
    if isinstance(text, str):
        if not text.isascii():
            raise MalformedReply("photo is not Base64")
        encoded = text.encode().translate(None, _WHITE)
        text = memoryview(encoded)
    if prefix := _DATA_URI.match(text):
        text = text[prefix.end() :]
    try:
        content = pybase64.b64decode(text, validate=True)
    except ValueError:
        content = None
    if content is None or not _is_canonical(text, content):
        raise MalformedReply("photo is not Base64")
    return content


def _is_canonical(text: memoryview, content: bytes) -> bool:
    """Tell whether the bits beside the padding are the only possible ones."""
    tail = len(content) % 3
    return not tail or pybase64.b64encode(content[-tail:]) == bytes(text[-4:])


def sniff_media_type(content: bytes) -> str:
    """Tell JPEG, PNG and WebP by their first bytes; anything else is octets."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"


def build_key(folder: str, name: str, *, sha256: str, media_type: str) -> str:
    """Build an object's key: no card data, no order number; other bytes, other key."""
    extension = EXTENSIONS.get(media_type, "bin")
    return f"{folder}/{name}-{sha256[:16]}.{extension}"

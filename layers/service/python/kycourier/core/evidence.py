"""Where evidence lies: folder, key, URI and manifest of one collection.

    {app_id}/{yyyy}/{mm}/{dd}/{random}/{kind}-{first 16 of sha256}.{extension}

No key holds an order number or anything that was recognized.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from kycourier.core.documents.recognition import Photo, Recognition
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.core.result_codes import OK_CODE

MANIFEST_TYPE = "kycourier.manifest.v1"
MANIFEST_KIND = "manifest"
JSON = "application/json"
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    JSON: "json",
}
_PART = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+"
_KEY = re.compile(rf"{_PART}(?:/{_PART})*")


class StoredObject(Struct, frozen=True, kw_only=True):
    """One object of the evidence. `key` is below the store's prefix."""

    kind: str
    key: str
    sha256: str
    size_bytes: int
    media_type: str


def new_folder(now: datetime, *, nonce: str) -> str:
    """Builds the folder of a new collection, below the app's: day and nonce."""
    return f"{now:%Y/%m/%d}/{nonce}"


def folder_of(app_id: str, folder: str | None) -> str:
    """Returns a collection's whole folder.

    Raises:
        EvidenceUnavailableError: the order has not been claimed yet.
    """
    if folder is None:
        raise EvidenceUnavailableError("no folder before the first claim")
    return f"{app_id}/{folder}"


def parent_of(key: str) -> str:
    """Returns the folder of an object."""
    return key.rpartition("/")[0]


def is_key(text: str) -> bool:
    """Checks that a key or folder is plain names between slashes."""
    return bool(_KEY.fullmatch(text))


def check_key(key: str) -> str:
    """Returns a key or folder unchanged. Raises EvidenceUnavailableError."""
    if is_key(key):
        return key
    raise EvidenceUnavailableError("unusable key")


def build_key(folder: str, kind: str, *, sha256: str, media_type: str) -> str:
    """Builds an object's key: other bytes have another key."""
    extension = EXTENSIONS.get(media_type, "bin")
    return f"{folder}/{kind}-{sha256[:16]}.{extension}"


def uri_of(stored: StoredObject, *, evidence_uri: str) -> str:
    """Builds the URI that events carry; `evidence_uri` is the store's, without `/`."""
    return f"{evidence_uri}/{stored.key}"


def locate_photo(photo: Photo, *, folder: str) -> StoredObject:
    """Returns where a photo is to be stored."""
    return StoredObject(
        kind=photo.kind,
        key=build_key(
            folder, photo.kind, sha256=photo.sha256, media_type=photo.media_type
        ),
        sha256=photo.sha256,
        size_bytes=photo.size_bytes,
        media_type=photo.media_type,
    )


def locate_manifest(content: bytes, *, folder: str) -> StoredObject:
    """Returns where a manifest is to be stored."""
    sha256 = hashlib.sha256(content).hexdigest()
    return StoredObject(
        kind=MANIFEST_KIND,
        key=build_key(folder, MANIFEST_KIND, sha256=sha256, media_type=JSON),
        sha256=sha256,
        size_bytes=len(content),
        media_type=JSON,
    )


def build_manifest(
    identity: Mapping[str, object],
    masked: Mapping[str, object],
    *,
    recognition: Recognition,
    photos: Sequence[StoredObject],
) -> bytes:
    """Builds the manifest; nothing in it differs from one query to the next.

    Args:
        identity: `app_id`, `order_no` and `document`.
        masked: The document's masked values, as in the event.
        recognition: What was recognized.
        photos: Where its photos are stored.
    """
    manifest = {
        "manifest": MANIFEST_TYPE,
        **identity,
        "code": recognition.refusal.code if recognition.refusal else OK_CODE,
        **masked,
        "photos_missing": list(recognition.photos_missing),
        "objects": [
            {
                "kind": photo.kind,
                "name": photo.key.rpartition("/")[2],
                "sha256": photo.sha256,
                "bytes": photo.size_bytes,
                "media_type": photo.media_type,
            }
            for photo in photos
        ],
    }
    return msgspec.json.encode(manifest)

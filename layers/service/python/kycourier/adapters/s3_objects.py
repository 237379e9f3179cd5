"""What one question to a bucket gives. All raise what obstore does, also."""

import hashlib

import obstore
from obstore.store import S3Store

from kycourier.core.errors import EvidenceUnavailable

MOST_BYTES = 1 << 28  # the largest reply that a setting allows; 16 MB as a rule
PAGE = 1000
_PIECE_BYTES = 1 << 20


def is_tag_of(tag: str | None, content: bytes) -> bool:
    """Tell whether an answer's tag is the MD5 of what was sent."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return (tag or "").strip('"').lower() == digest


def read_digest(bucket: S3Store, key: str) -> str:
    """Read an object and give its SHA-256."""
    digest = hashlib.sha256()
    for piece in obstore.get(bucket, key).stream(min_chunk_size=_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def read_content(bucket: S3Store, key: str) -> bytes:
    """Read an object whole. Raises EvidenceUnavailable."""
    found = obstore.get(bucket, key)
    if found.meta["size"] > MOST_BYTES:
        raise EvidenceUnavailable("larger than any evidence")
    return bytes(found.bytes())


def list_page(bucket: S3Store, folder: str, *, after: str | None) -> list[str]:
    """List the next keys that begin so, at most a page of them."""
    pages = obstore.list(bucket, prefix=folder, offset=after, chunk_size=PAGE)
    return [found["path"] for found in next(pages, ())]

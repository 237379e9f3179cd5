"""Makes single calls of a bucket; each raises obstore's errors."""

import hashlib

import obstore
from obstore.store import S3Store

from kycourier.core.errors import EvidenceUnavailableError

MAX_BYTES = 1 << 28  # the largest reply that a setting allows
PAGE = 1000
_PIECE_BYTES = 1 << 20


def is_tag_of(tag: str | None, content: bytes) -> bool:
    """Checks whether an ETag is the MD5 of the content that was sent."""
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    return (tag or "").strip('"').lower() == digest


def read_digest(bucket: S3Store, key: str) -> str:
    """Reads an object and returns its SHA-256."""
    digest = hashlib.sha256()
    for piece in obstore.get(bucket, key).stream(min_chunk_size=_PIECE_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def read_content(bucket: S3Store, key: str) -> bytes:
    """Reads an object whole. Raises EvidenceUnavailableError if it is too large."""
    result = obstore.get(bucket, key)
    if result.meta["size"] > MAX_BYTES:
        raise EvidenceUnavailableError("larger than any evidence")
    return bytes(result.bytes())


def list_page(bucket: S3Store, folder: str, *, after: str | None) -> list[str]:
    """Lists at most a page of keys below `folder`, after the key `after`."""
    pages = obstore.list(bucket, prefix=folder, offset=after, chunk_size=PAGE)
    return [meta["path"] for meta in next(pages, ())]

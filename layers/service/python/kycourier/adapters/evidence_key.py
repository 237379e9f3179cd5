"""What keys of evidence look like, on every store: plain names between slashes."""

import re

from kycourier.core.errors import EvidenceUnavailable

_PART = r"(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._-]+"
_KEY = re.compile(rf"{_PART}(?:/{_PART})*")


def is_key(text: str) -> bool:
    """Tell whether a key, or a folder's name, is of that form."""
    return bool(_KEY.fullmatch(text))


def check_key(key: str) -> str:
    """Give a key back, or a folder's name. Raises EvidenceUnavailable."""
    if is_key(key):
        return key
    raise EvidenceUnavailable("unusable key")

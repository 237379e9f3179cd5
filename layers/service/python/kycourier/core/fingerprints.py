"""Keyed digests of personal numbers: consumers can compare, not invert them."""

import hashlib
import hmac
import re

from msgspec import Struct

from kycourier.core.redaction import Secret

_VERSIONED = re.compile(r"v[0-9]{1,4}=")
_KEY_LINE = re.compile(r"(?P<version>v[0-9]{1,4})=(?P<key>.{32,})")


class FingerprintKey(Struct, frozen=True):
    """The key in use, and the version that each fingerprint starts with."""

    version: str
    key: Secret


def parse_fingerprint_key(value: Secret) -> FingerprintKey | None:
    """Parses the key in use: one string is `v1`; of lines `v1=…`, `v2=…` the last.

    Returns:
        The key, or None unless every key has 32 characters or more.
    """
    lines = [line.strip() for line in value.expose().splitlines() if line.strip()]
    if len(lines) == 1 and not _VERSIONED.match(lines[0]):
        lines = [f"v1={lines[0]}"]
    keys = [_KEY_LINE.fullmatch(line) for line in lines]
    last = keys[-1] if keys and all(keys) else None
    return FingerprintKey(last["version"], Secret(last["key"])) if last else None


def fingerprint(digits: str, key: FingerprintKey) -> str | None:
    """Returns `version:hex` of the digits' HMAC-SHA-256, or None without digits.

    A bare hash would be inverted in a minute: few digits of a number are secret.
    """
    if not digits:
        return None
    digest = hmac.new(key.key.expose().encode(), digits.encode(), hashlib.sha256)
    return f"{key.version}:{digest.hexdigest()}"

"""Fingerprints are keyed digests with the key's version."""

import hashlib
import hmac

import pytest

from kycourier.core.fingerprints import (
    FingerprintKey,
    fingerprint,
    parse_fingerprint_key,
)
from kycourier.core.redaction import Secret

NUMBER = "4111111111111111"


def test_fingerprint_is_a_keyed_digest_with_the_keys_version():
    digest = hmac.new(b"k" * 32, NUMBER.encode(), hashlib.sha256).hexdigest()
    key = FingerprintKey("v7", Secret("k" * 32))
    assert fingerprint(NUMBER, key) == f"v7:{digest}"
    assert hashlib.sha256(NUMBER.encode()).hexdigest() != digest


def test_number_without_digits_has_no_fingerprint():
    assert fingerprint("", FingerprintKey("v1", Secret("k" * 32))) is None


@pytest.mark.parametrize(
    ("secret", "version", "key"),
    [
        ("k" * 32, "v1", "k" * 32),
        ("k" * 32 + "\n", "v1", "k" * 32),
        (f"v1={'a' * 32}\nv2={'b' * 40}\n", "v2", "b" * 40),
        (f"v1234={'a' * 32}", "v1234", "a" * 32),
    ],
)
def test_last_key_is_in_use(secret, version, key):
    parsed = parse_fingerprint_key(Secret(secret))
    assert (parsed.version, parsed.key.expose()) == (version, key)


@pytest.mark.parametrize(
    "secret", ["", "k" * 31, f"v1={'a' * 31}", f"{'a' * 32}\n{'b' * 32}"]
)
def test_short_or_unversioned_keys_are_unusable(secret):
    assert parse_fingerprint_key(Secret(secret)) is None

"""The partner's key pair, and what another implementation of JWE opens with it."""

import json
from typing import Any

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from kycourier.adapters.sealing.jwe import JweSealer, open_sealer
from kycourier.core.redaction import Secret

ALGORITHMS = ("ECDH-ES+A256KW", "RSA-OAEP-256", "A256GCM")
PAIR = JWK.generate(kty="EC", crv="P-256")
PUBLIC = PAIR.export_public()


def make_sealer() -> JweSealer:
    """Return a sealer to the pair's public key."""
    return open_sealer(Secret(PUBLIC))


def open_bytes(token: str, key: JWK = PAIR) -> bytes:
    """Open a JWE with `jwcrypto`."""
    found = JWE(algs=list(ALGORITHMS))
    found.deserialize(token, key)
    content: bytes = found.payload
    return content


def unseal(token: str) -> dict[str, Any]:
    """Return the JSON that is sealed to the pair."""
    content: dict[str, Any] = json.loads(open_bytes(token))
    return content

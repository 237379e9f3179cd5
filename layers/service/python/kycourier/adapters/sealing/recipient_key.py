"""Reads the partner's public key: a JWK, a JWK Set or a PEM."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pybase64
from joserfc.jwk import ECKey, OKPKey, RSAKey
from msgspec import Struct

from kycourier.core.errors import KycourierError
from kycourier.core.redaction import Secret, repr_only
from kycourier.core.strict_json import MalformedJsonError, parse_json

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
_MAX_KID = 256
_RSA, _ECDH = "RSA-OAEP-256", "ECDH-ES+A256KW"
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth"}
_ENCRYPTING = {"encrypt", "wrapKey", "deriveKey", "deriveBits"}
_CURVES = {("EC", "P-256"), ("OKP", "X25519")}
_SIGNING_CURVES = {"Ed25519", "Ed448"}
_MEMBERS = ("kty", "crv", "x", "y", "n", "e")  # those of public keys
PublicKey = ECKey | OKPKey | RSAKey
_KEY_TYPES: Mapping[str, Any] = {"EC": ECKey, "OKP": OKPKey, "RSA": RSAKey}


class UnusableKeyError(KycourierError):
    """A recipient key that nothing may be sealed to; the reason names no part of it."""

    code = "unusable_key"


@repr_only("algorithm")
class RecipientKey(Struct, frozen=True):
    """A public key, its id, and the algorithm that wraps content keys for it."""

    key: PublicKey
    kid: str
    algorithm: str


def parse_recipient_key(stored: Secret) -> RecipientKey:
    """Reads the key; of a JWK Set, the last usable one.

    Its id is the JWK's `kid`, else its thumbprint (RFC 7638). White space and a BOM
    around the text are dropped; a JSON object with one text member is that member.

    Raises:
        UnusableKeyError: it is no public key for encryption of a kind that is served:
            P-256, X25519, or RSA of 2048 to 8192 bits.
    """
    text = stored.expose().removeprefix("\ufeff").strip()
    if text.startswith("-----BEGIN"):
        return _read_pem(text)
    try:
        found = parse_json(text.encode("utf-8", "surrogateescape"))
    except MalformedJsonError:
        found = None
    if not isinstance(found, dict):
        raise UnusableKeyError("is no JWK, JWK Set or PEM")
    if len(found) == 1 and isinstance(value := next(iter(found.values())), str):
        return parse_recipient_key(Secret(value))
    if "keys" in found:
        return _last_usable(found["keys"])
    return _read_jwk(found)


def _last_usable(keys: object) -> RecipientKey:
    """Returns the last usable key of a set; raises what is wrong with its last key."""
    given = keys if isinstance(keys, list) else []
    for each in reversed(given):
        with suppress(UnusableKeyError):
            return _read_jwk(each)
    if not given:
        raise UnusableKeyError("is a JWK Set without keys")
    return _read_jwk(given[-1])


def _read_jwk(jwk: object) -> RecipientKey:
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kty"), str):
        raise UnusableKeyError("is no JWK")
    kind, curve = jwk["kty"], str(jwk.get("crv"))
    if kind == "oct":
        raise UnusableKeyError("is a symmetric key")
    if jwk.keys() & _PRIVATE:
        raise UnusableKeyError("is a private key: only its public part may be set")
    if (
        jwk.get("use") not in (None, "enc")
        or curve in _SIGNING_CURVES
        or not _allows_encryption(jwk.get("key_ops"))
    ):
        raise UnusableKeyError("is a key for signatures")
    if kind not in _KEY_TYPES or (kind != "RSA" and (kind, curve) not in _CURVES):
        raise UnusableKeyError("is of another kind than P-256, X25519 or RSA")
    algorithm = _RSA if kind == "RSA" else _ECDH
    if jwk.get("alg") not in (None, algorithm):
        raise UnusableKeyError("is for another algorithm than the one for its type")
    kid = jwk.get("kid")
    if kid is not None and not _is_key_id(kid):
        raise UnusableKeyError(
            "has a kid that is no printable text of 256 characters at most"
        )
    return _build(kind, dict(jwk), kid=kid, algorithm=algorithm)


def _is_key_id(kid: object) -> bool:
    """Whether it may be in a header: printable text, so without a lone surrogate."""
    return isinstance(kid, str) and 0 < len(kid) <= _MAX_KID and kid.isprintable()


def _allows_encryption(operations: object) -> bool:
    """Whether `key_ops` allows encryption; WebCrypto exports ECDH keys with `[]`."""
    if operations is None or operations == []:
        return True
    return isinstance(operations, list) and any(
        isinstance(each, str) and each in _ENCRYPTING for each in operations
    )


def _read_pem(text: str) -> RecipientKey:
    """Reads a PEM of one public key, as `openssl … -pubout` writes it."""
    label = text.partition("\n")[0]
    if "PRIVATE KEY-----" in text:  # perhaps behind the public one
        raise UnusableKeyError("is a private key: only its public part may be set")
    if "PUBLIC KEY" not in label:
        raise UnusableKeyError("is a PEM of something else than a public key")
    if text.count("-----BEGIN") > 1:
        raise UnusableKeyError("is a PEM of more than one key")
    key = _import_pem(text)
    if key is None:
        raise UnusableKeyError("is of another kind than P-256, X25519 or RSA")
    return _read_jwk(key.as_dict(private=False))


def _import_pem(text: str) -> PublicKey | None:
    for kind in _KEY_TYPES.values():
        with suppress(Exception):  # whatever the library raises
            key: PublicKey = kind.import_key(text)
            return key
    return None


def _build(
    kind: str, jwk: dict[str, object], *, kid: str | None, algorithm: str
) -> RecipientKey:
    reason = "has members that make no key"
    with suppress(Exception):  # the library's errors may hold the key
        if kind != "RSA" or MIN_RSA_BITS <= _rsa_bits(jwk["n"]) <= MAX_RSA_BITS:
            public = {name: jwk[name] for name in _MEMBERS if name in jwk}
            key = _KEY_TYPES[kind].import_key(public)
            return RecipientKey(key, kid or key.thumbprint(), algorithm)
        reason = "is an RSA key of under 2048 or over 8192 bits"
    raise UnusableKeyError(reason)


def _rsa_bits(modulus: Any) -> int:  # noqa: ANN401 - a member of a JWK
    padding = "=" * (-len(modulus) % 4)
    return int.from_bytes(
        pybase64.urlsafe_b64decode(modulus + padding), "big"
    ).bit_length()

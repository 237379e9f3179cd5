"""Results are sealed so that other implementations of JWE open them."""

import base64
import json
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from jwcrypto import jwk as other_jwk

from kycourier.adapters.sealing import jwe
from kycourier.adapters.sealing.recipient_key import (
    UnusableKeyError,
    parse_recipient_key,
)
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.core.events.sealed_content import SealedContent
from kycourier.core.redaction import Secret
from support.rigs.recipient import open_bytes

CONTENT = b'{"card":{"number":"6225880000001234"}}'
NUMBER = b"6225880000001234"
P256 = other_jwk.JWK.generate(kty="EC", crv="P-256")
X25519 = other_jwk.JWK.generate(kty="OKP", crv="X25519")
RSA = other_jwk.JWK.generate(kty="RSA", size=2048)
KEYS = {"P-256": P256, "X25519": X25519, "RSA": RSA}
ALGORITHMS = {"EC": "ECDH-ES+A256KW", "OKP": "ECDH-ES+A256KW", "RSA": "RSA-OAEP-256"}


def public(key, **members):
    """Return a key's public JWK, with members added, replaced or (None) removed."""
    jwk = key.export_public(as_dict=True)
    jwk.pop("kid", None)
    found = {**jwk, **members}
    return {name: value for name, value in found.items() if value is not None}


def pem(key):
    return key.export_to_pem().decode()


def seal(stored):
    return jwe.open_sealer(Secret(stored)).seal(SealedContent(CONTENT))


def header_of(token):
    head = token.partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize(
    "store",
    [
        lambda key: json.dumps(public(key)),
        lambda key: f"\ufeff\n {json.dumps(public(key), indent=1)} \r\n",
        lambda key: json.dumps({"keys": [public(key)]}),
        lambda key: json.dumps({"recipient": json.dumps(public(key))}),
        lambda key: json.dumps(
            public(key, use="enc", key_ops=["deriveKey", "wrapKey"])
        ),
        lambda key: json.dumps(public(key, key_ops=[], ext=True)),  # of WebCrypto
        pem,
        lambda key: json.dumps({"recipient": pem(key)}),
    ],
)
def test_another_implementation_opens_what_is_sealed(key, store):
    token = seal(store(key))

    assert open_bytes(token, key) == CONTENT
    assert token.count(".") == 4
    header = header_of(token)
    header.pop("epk", None)
    assert header == {
        "alg": ALGORITHMS[public(key)["kty"]],
        "enc": "A256GCM",
        "cty": "json",
        "kid": key.thumbprint(),
    }


def test_the_id_of_a_key_is_its_own_if_it_has_one():
    assert header_of(seal(json.dumps(public(P256, kid="2026-12"))))["kid"] == "2026-12"


def test_the_last_usable_key_of_a_set_is_used():
    signing = public(P256, kid="later", use="sig")
    keys = [public(RSA, kid="old"), public(X25519, kid="new"), signing]

    token = seal(json.dumps({"keys": keys}))

    assert header_of(token)["kid"] == "new"
    assert open_bytes(token, X25519) == CONTENT


def test_each_sealing_has_a_content_key_of_its_own():
    stored = json.dumps(public(P256))

    one, other = seal(stored).split("."), seal(stored).split(".")

    assert not set(one[1:]) & set(other[1:])


def encoded(number: int) -> str:
    size = (number.bit_length() + 7) // 8
    return base64.urlsafe_b64encode(number.to_bytes(size, "big")).decode().rstrip("=")


def small_rsa():
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505 - too small
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "n": encoded(numbers.n), "e": encoded(numbers.e)}


def public_pem(key):
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


UNUSABLE = {
    "private JWK": (P256.export(as_dict=True), "is a private key"),
    "private member alone": (public(RSA, p="AQAB"), "is a private key"),
    "private PEM": (
        private_pem(ec.generate_private_key(ec.SECP256R1())),
        "is a private key",
    ),
    "private PEM behind the public one": (
        pem(P256) + P256.export_to_pem(private_key=True, password=None).decode(),
        "is a private key",
    ),
    "two PEMs": (pem(P256) + pem(RSA), "is a PEM of more than one key"),
    "symmetric": ({"kty": "oct", "k": "c2VjcmV0"}, "is a symmetric key"),
    "use sig": (public(P256, use="sig"), "is a key for signatures"),
    "key_ops verify": (public(RSA, key_ops=["verify"]), "is a key for signatures"),
    "Ed25519": (
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        },
        "is a key for signatures",
    ),
    "signing algorithm": (public(RSA, alg="RS256"), "is for another algorithm"),
    "other wrapping": (public(P256, alg="ECDH-ES"), "is for another algorithm"),
    "P-384": (
        public(other_jwk.JWK.generate(kty="EC", crv="P-384")),
        "is of another kind",
    ),
    "secp256k1 PEM": (
        public_pem(ec.generate_private_key(ec.SECP256K1()).public_key()),
        "is of another kind",
    ),
    "Ed25519 PEM": (
        public_pem(ed25519.Ed25519PrivateKey.generate().public_key()),
        "is a key for signatures",
    ),
    "small RSA": (small_rsa(), "is an RSA key of under 2048"),
    "point off the curve": (public(P256, x="AAAA", y="AAAA"), "make no key"),
    "short x": (public(X25519, x="AAAA"), "make no key"),
    "number for a text": (public(RSA, n=5), "make no key"),
    "kid of another type": (public(P256, kid=7), "has a kid"),
    "kid with a lone surrogate": (public(P256, kid="\ud800"), "has a kid"),
    "kid too long": (public(P256, kid="k" * 257), "has a kid"),
    "unknown type": ({"kty": "PQ", "x": "AA"}, "is of another kind"),
    "no type": ({"crv": "P-256"}, "is no JWK, JWK Set or PEM"),
    "set of signing keys": (
        {"keys": [public(P256, use="sig")]},
        "is a key for signatures",
    ),
    "empty set": ({"keys": []}, "is a JWK Set without keys"),
    "set of texts": ({"keys": ["key"]}, "is no JWK"),
    "certificate": (
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "is a PEM of something else",
    ),
    "broken PEM": (
        "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "is of another kind",
    ),
    "text": ("622588", "is no JWK, JWK Set or PEM"),
    "list": ([public(P256)], "is no JWK, JWK Set or PEM"),
}


@pytest.mark.parametrize(("stored", "reason"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_key_is_refused_by_its_reason_and_without_its_value(stored, reason):
    text = stored if isinstance(stored, str) else json.dumps(stored)

    with pytest.raises(UnusableKeyError) as refused:
        parse_recipient_key(Secret(text))

    assert reason in refused.value.reason
    members = stored.values() if isinstance(stored, dict) else [stored]
    shown = [each for each in map(str, members) if each in refused.value.reason]
    assert [each for each in shown if len(each) > len("ECDH-ES")] == []
    assert refused.value.__cause__ is refused.value.__context__ is None


@settings(max_examples=100)
@given(
    key=st.sampled_from([public(key) for key in KEYS.values()]),
    members=st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "n", "e", "kid", "use", "alg", "key_ops"]),
        st.none() | st.booleans() | st.integers() | st.text(max_size=8)
        | st.lists(st.text(max_size=3), max_size=2)
        | st.dictionaries(st.text(max_size=3), st.none(), max_size=1),
        min_size=1, max_size=2,
    ),
)  # fmt: skip
def test_key_with_members_of_any_type_is_read_or_refused(key, members):
    with suppress(UnusableKeyError):
        parse_recipient_key(Secret(json.dumps({**key, **members})))


def test_x25519_pem_is_read():
    key = x25519.X25519PrivateKey.generate()

    assert header_of(seal(public_pem(key.public_key())))["alg"] == "ECDH-ES+A256KW"


def test_failure_of_the_library_hides_the_content(monkeypatch):
    sealer = jwe.open_sealer(Secret(json.dumps(public(P256))))

    def fail(_, plaintext, *__, **___):
        raise ValueError(plaintext)

    monkeypatch.setattr(jwe, "encrypt_compact", fail)
    with pytest.raises(EvidenceUnavailableError) as failed:
        sealer.seal(SealedContent(CONTENT))

    assert failed.value.reason == "sealing failed"
    assert failed.value.__cause__ is failed.value.__context__ is None


def test_content_redacts_itself():
    content = SealedContent(CONTENT)

    assert NUMBER.decode() not in f"{content!r} {content}"

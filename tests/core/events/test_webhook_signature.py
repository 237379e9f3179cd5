"""Webhooks are signed as the Standard Webhooks specification describes."""

import base64

import pytest

from kycourier.core.events.webhook_signature import parse_secrets, sign
from kycourier.core.redaction import Secret

# The vector of the reference implementations (svix-webhooks, standard-webhooks).
VECTOR = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def whsec(size):
    return f"whsec_{base64.b64encode(b'k' * size).decode()}"


def test_signature_is_that_of_the_reference_implementations():
    assert sign(*MESSAGE, parse_secrets(Secret(VECTOR))) == SIGNATURE


def test_two_secrets_sign_both():
    both = parse_secrets(Secret(f"{whsec(32)}\r\n {VECTOR}\n\n"))
    first, second = sign(*MESSAGE, both).split(" ")
    assert second == SIGNATURE
    assert first == sign(*MESSAGE, both[:1])


@pytest.mark.parametrize(
    "text",
    ["", "whsec_", VECTOR[6:], VECTOR[:-1], VECTOR + "=", VECTOR.replace("M", "-", 1),
     whsec(23), whsec(65), f"{VECTOR}\n{VECTOR}\n{VECTOR}", f"{VECTOR}\nx",
     f"{VECTOR} {VECTOR}"],
)  # fmt: skip
def test_other_forms_are_refused(text):
    assert parse_secrets(Secret(text)) is None


def test_bounds_of_a_key_are_24_and_64_bytes():
    assert all(parse_secrets(Secret(whsec(size))) for size in (24, 64))

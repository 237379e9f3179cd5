"""The scan bites: each planted leak is found."""

import base64
import hashlib
import json
from urllib.parse import urlencode

import pytest

from leak_scan import find_leaks

CARD = "6225880000001234"
SECRET = "synthetic/secret+with=odd&characters0123456789abcdef"
PLANTED = {
    "a card number in a log line": f"collected order1 {CARD}",
    "grouped": "6225 8800 0000 1234",
    "dashed": "6225-8800-0000-1234",
    "reversed": "4321000000885226",
    "full-width": "６２２５８８００００００１２３４",
    "in hexadecimal": CARD.encode().hex(),
    "in Base64": base64.b64encode(CARD.encode()),
    "in Base64 after one byte": base64.b64encode(b"x" + CARD.encode() + b"more"),
    "in Base64 after two bytes": base64.b64encode(b"xy" + CARD.encode() + b"more"),
    "a bare SHA-256": hashlib.sha256(CARD.encode()).hexdigest(),
    "a bare MD5 in capitals": hashlib.md5(CARD.encode()).hexdigest().upper(),  # noqa: S324 - planted
    "escaped in JSON": "".join(f"\\u00{ord(char):02x}" for char in CARD),
    "percent-encoded": "".join(f"%{ord(char):02X}" for char in CARD),
    "the repr of bytes as numbers": str(list(CARD.encode())),
    "a secret in a URL": "GET /token?" + urlencode({"secret": SECRET}),
    "a secret in a JSON text": json.dumps({"secret": SECRET}),
    "a secret in an exception": repr(ValueError(SECRET)),
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_a_planted_leak_is_found(text):
    assert find_leaks([CARD, SECRET], {"sink": text})


def test_masked_and_keyed_forms_are_no_leak():
    shown = (
        "622588******1234 v1:" + hashlib.sha256(b"keyed" + CARD.encode()).hexdigest()
    )
    assert not find_leaks([CARD, SECRET], {"sink": shown})

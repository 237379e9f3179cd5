"""The leak scan finds each planted leak."""

import base64
import hashlib
import json
from urllib.parse import urlencode

import pytest

from support.leaks.canaries import CARD
from support.leaks.leak_scan import find_leaks

SECRET = "synthetic/secret+with=odd&characters0123456789abcdef"
PHOTO = bytes(range(0, 256, 5))
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
    "a photo in a file": b"before" + PHOTO + b"after",
    "a photo in an event": base64.b64encode(b"x" + PHOTO + b"more").decode(),
    "a photo for URLs": base64.urlsafe_b64encode(b"xy" + PHOTO + b"more").decode(),
    "a photo in a variable": repr({"body": b"before" + PHOTO}),
    "a photo in JSON": json.dumps({"body": list(PHOTO)}),
    "a photo in hexadecimal": PHOTO.hex().upper(),
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
def test_planted_leak_is_found(text):
    found = find_leaks([CARD, SECRET, PHOTO], {"other": "order1", "sink": text})
    assert {sink for sink, _ in found} == {"sink"}


def test_masked_number_and_keyed_fingerprint_are_no_leaks():
    text = "622588******1234 v1:" + hashlib.sha256(b"keyed" + CARD.encode()).hexdigest()
    assert not find_leaks([CARD, SECRET], {"sink": text})

"""Secret values of the test suite; the leak plugin fails a test that writes one.

A test's own secret belongs here, or starts with `MARK`.
"""

import re

from kycourier_devkit.sandbox.documents.bank_card import TEST_NUMBERS
from kycourier_devkit.sandbox.sandbox import APP_SECRET, GRANT_MARK

MARK = "SYNTHETIC0CANARY0"  # prefix of secrets that a test makes up
CARD = "6225880000001234"
NUMBER = "4111111111111111"
SYNTHETIC_CARDS = "62258800000"  # prefix of the sandbox's card numbers
ID_NUMBER, OLD_ID_NUMBER = "000000199003070014", "000000900307001"
PERSON, ADDRESS = "试样人·甲乙", "虚构省样例市样例路1号"  # no such person or place
FINGERPRINT_KEY = "synthetic-fingerprint-key-32-chars"
API_KEY = "demo-key-0123456789abcdef0123456789"  # of the documented signature example
TOKEN, TICKET = "synthetic-token", "synthetic-ticket"
PHOTO = b"\xff\xd8\xff a synthetic photo".ljust(64, b".")  # fewer bytes are no photo
PHOTO_PART = PHOTO[3:]  # events contain a whole photo's digest
JPEG_HEAD = bytes.fromhex("ffd8ffe000104a464946")  # of every photo of the sandbox

CANARIES: tuple[str | bytes, ...] = (
    *TEST_NUMBERS, CARD, SYNTHETIC_CARDS, ID_NUMBER, OLD_ID_NUMBER, PERSON, ADDRESS,
    MARK, GRANT_MARK, APP_SECRET,
    FINGERPRINT_KEY, API_KEY, TOKEN, TICKET, PHOTO_PART, JPEG_HEAD,
)  # fmt: skip

# Values that differ on each run are found by their form.
PATTERNS = {
    "signature of a query": re.compile(rb"(?<![0-9A-F])[0-9A-F]{40}(?![0-9A-F])"),
    "signature of a request": re.compile(rb"t=\d{9,11},v1=[0-9a-f]{64}"),
    "signed URL": re.compile(
        rb"[?&](sign|secret|access_token|signature|X-Amz-Signature)=[^&\s\"']",
        re.IGNORECASE,
    ),
}

"""What the suite's tests keep secret, so that it is noticed wherever else it turns up.

A test's own secret belongs here, or begins with one of the marks.
"""

import re

from kycourier_devkit.sandbox.cards import TEST_NUMBERS
from kycourier_devkit.sandbox.sandbox import APP_SECRET, GRANT_MARK

MARK = "SYNTHETIC0CANARY0"  # begins what a test makes up
CARD = "6225880000001234"
NUMBER = "4111111111111111"
SYNTHETIC_CARDS = "62258800000"  # how the sandbox's own card numbers begin
FINGERPRINT_KEY = "synthetic-fingerprint-key-32-chars"
API_KEY = "demo-key-0123456789abcdef0123456789"  # of the worked vector
TOKEN, TICKET = "synthetic-token", "synthetic-ticket"
PHOTO = b"\xff\xd8\xff a synthetic photo"
PHOTO_PART = PHOTO[3:]  # a whole photo's digest is no secret: events name it
JPEG_HEAD = bytes.fromhex("ffd8ffe000104a464946")  # of every photo of the sandbox

CANARIES: tuple[str | bytes, ...] = (
    *TEST_NUMBERS, CARD, SYNTHETIC_CARDS, MARK, GRANT_MARK, APP_SECRET,
    FINGERPRINT_KEY, API_KEY, TOKEN, TICKET, PHOTO_PART, JPEG_HEAD,
)  # fmt: skip

# What is made anew each time is known by its form.
PATTERNS = {
    "signature of a query": re.compile(rb"(?<![0-9A-F])[0-9A-F]{40}(?![0-9A-F])"),
    "signature of a request": re.compile(rb"t=\d{9,11},v1=[0-9a-f]{64}"),
    "signed URL": re.compile(
        rb"[?&](sign|secret|access_token|signature|X-Amz-Signature)=[^&\s\"']",
        re.IGNORECASE,
    ),
}

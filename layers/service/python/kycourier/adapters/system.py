"""Reads this machine's clock and randomness; no other module does."""

import secrets
import string
import time
from datetime import datetime, timezone

from kycourier.core.redaction import Secret

NONCE_LENGTH = 32
KEY_BYTES = 32
MARKER_BYTES = 16
_LETTERS_AND_DIGITS = (string.ascii_letters + string.digits).encode()
_BYTE_TO_CHARACTER = bytes(_LETTERS_AND_DIGITS[byte % 62] for byte in range(256))
_BIASED = bytes(range(248, 256))  # 62 does not divide 256: these bytes are dropped


def draw_key() -> Secret:
    """Draws a key: 32 random bytes as 64 lower-case hexadecimal digits."""
    return Secret(secrets.token_hex(KEY_BYTES))


def draw_marker() -> str:
    """Draws a unique marker: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(MARKER_BYTES)


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Returns the wall clock, aware UTC."""
        return datetime.now(timezone.utc)  # noqa: TID251 - this is the Clock port

    def monotonic(self) -> float:
        """Returns seconds on a clock that is never set back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits; not at all if `seconds` is negative."""
        time.sleep(max(0.0, seconds))


class SystemRandom:
    """The operating system's randomness."""

    def __init__(self) -> None:
        self._random = secrets.SystemRandom()

    def nonce(self) -> str:
        """Draws 32 letters and digits, unguessable, with one system call."""
        drawn = b""
        while len(drawn) < NONCE_LENGTH:
            drawn += secrets.token_bytes(2 * NONCE_LENGTH).translate(
                _BYTE_TO_CHARACTER, _BIASED
            )
        return drawn[:NONCE_LENGTH].decode()

    def draw(self) -> float:
        """Draws uniformly from [0, 1)."""
        return self._random.random()

"""This machine's clock and randomness; nothing else reads them."""

import secrets
import string
import time
from datetime import datetime, timezone

from kycourier.core.hidden import Secret

NONCE_LENGTH = 32
KEY_BYTES = 32
MARK_BYTES = 16
_LETTERS_AND_DIGITS = (string.ascii_letters + string.digits).encode()
_SPELLED = bytes(_LETTERS_AND_DIGITS[byte % 62] for byte in range(256))
_UNEVEN = bytes(range(248, 256))  # what is left over of 256 by 62s


def draw_key() -> Secret:
    """Draw a key: 32 random bytes as 64 lower-case hexadecimal digits."""
    return Secret(secrets.token_hex(KEY_BYTES))


def draw_mark() -> str:
    """Draw what nothing else is marked with: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(MARK_BYTES)


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Tell the wall clock, aware UTC."""
        return datetime.now(timezone.utc)  # noqa: TID251 - this is the Clock port

    def monotonic(self) -> float:
        """Tell seconds on a clock that is never set back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; not at all when `seconds` is below zero."""
        time.sleep(max(0.0, seconds))


class SystemNonces:
    """The operating system's randomness."""

    def __init__(self) -> None:
        self._random = secrets.SystemRandom()

    def nonce(self) -> str:
        """Draw 32 letters and digits, unguessable, with one call of the system."""
        drawn = b""
        while len(drawn) < NONCE_LENGTH:
            drawn += secrets.token_bytes(2 * NONCE_LENGTH).translate(_SPELLED, _UNEVEN)
        return drawn[:NONCE_LENGTH].decode()

    def draw(self) -> float:
        """Draw uniformly from [0, 1)."""
        return self._random.random()

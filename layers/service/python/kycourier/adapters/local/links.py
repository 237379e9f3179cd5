"""Signs and checks download links of the local gateway."""

import hashlib
import hmac
import re
from pathlib import Path

from kycourier.adapters.local.files import make_folder, write_file_once
from kycourier.adapters.system import draw_key
from kycourier.core.errors import EvidenceUnavailableError
from kycourier.core.redaction import Secret

_KEY = re.compile(r"[0-9a-f]{64}")


def load_link_key(path: Path) -> Secret:
    """Reads the key that signs links; draws and saves one, mode 0600, if absent.

    Raises:
        OSError: the file system failed.
        EvidenceUnavailableError: the file does not hold a key.
    """
    if not path.exists():
        make_folder(path.parent)
        write_file_once(path, draw_key().expose().encode())
    text = path.read_bytes().decode("ascii", "replace").removesuffix("\n")
    if not _KEY.fullmatch(text):
        raise EvidenceUnavailableError("link key unreadable")
    return Secret(text)


def build_link(secret: Secret, key: str, *, expires: int) -> str:
    """Builds a URL below the gateway's root; `expires` is in seconds since 1970."""
    signature = _sign(secret, key, str(expires))
    return f"/evidence/{key}?expires={expires}&signature={signature}"


def is_valid_link(
    secret: Secret, key: str, *, expires: str, signature: str, now: float
) -> bool:
    """Checks whether we signed the link's parts and it has not expired at `now`."""
    expected = _sign(secret, key, expires).encode()
    if not hmac.compare_digest(expected, signature.encode("utf-8", "replace")):
        return False
    return now < int(expires)  # cannot fail: we sign only numbers


def _sign(secret: Secret, key: str, expires: str) -> str:
    text = f"{key}\n{expires}".encode("utf-8", "replace")
    return hmac.new(secret.expose().encode(), text, hashlib.sha256).hexdigest()

"""How a download link of the local gateway is signed and checked."""

import hashlib
import hmac
import re
from pathlib import Path

from kycourier.adapters.local.files import make_folder, place_file
from kycourier.adapters.system import draw_key
from kycourier.core.errors import EvidenceUnavailable
from kycourier.core.hidden import Secret

_KEY = re.compile(r"[0-9a-f]{64}")


def load_link_key(path: Path) -> Secret:
    """Read the key that signs links; drawn once, mode 0600, when there is none.

    Raises OSError, and EvidenceUnavailable when the file holds something else.
    """
    if not path.exists():
        make_folder(path.parent)
        place_file(path, draw_key().reveal().encode())
    text = path.read_bytes().decode("ascii", "replace").removesuffix("\n")
    if not _KEY.fullmatch(text):
        raise EvidenceUnavailable("link key unreadable")
    return Secret(text)


def build_link(secret: Secret, key: str, *, expires: int) -> str:
    """Build the URL below the gateway's root; `expires` is in seconds since 1970."""
    signature = _sign(secret, key, str(expires))
    return f"/evidence/{key}?expires={expires}&signature={signature}"


def is_valid_link(
    secret: Secret, key: str, *, expires: str, signature: str, now: float
) -> bool:
    """Tell whether the link's parts are ours, to the byte, and not over at `now`."""
    ours = _sign(secret, key, expires).encode()
    if not hmac.compare_digest(ours, signature.encode("utf-8", "replace")):
        return False
    return now < int(expires)  # what we signed is a number


def _sign(secret: Secret, key: str, expires: str) -> str:
    text = f"{key}\n{expires}".encode("utf-8", "replace")
    return hmac.new(secret.reveal().encode(), text, hashlib.sha256).hexdigest()

"""Look for canaries in any sink, in every spelling a leak might have."""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote

FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


def spellings(canary: str) -> dict[str, bytes]:
    """Give a canary as it might stand in a sink; each spelling by its name."""
    raw = canary.encode()
    groups = [canary[at : at + 4] for at in range(0, len(canary), 4)]
    texts = {
        "raw": canary,
        "grouped": " ".join(groups),
        "dashed": "-".join(groups),
        "reversed": canary[::-1],
        "hex": raw.hex(),
        "hex, capitals": raw.hex().upper(),
        "url-encoded": quote(canary, safe=""),
        "url-encoded throughout": "".join(f"%{byte:02X}" for byte in raw),
        "json-escaped": json.dumps(canary)[1:-1],
        "json-escaped throughout": "".join(f"\\u{ord(char):04x}" for char in canary),
        "full-width": canary.translate(FULL_WIDTH),
        "comma-separated bytes": ", ".join(str(byte) for byte in raw),
    }
    for name in ("md5", "sha1", "sha256", "sha512"):
        texts[name] = hashlib.new(name, raw, usedforsecurity=False).hexdigest()
        texts[f"{name}, capitals"] = texts[name].upper()
    for before in range(3):
        shifted = base64.b64encode(b"\0" * before + raw).decode()
        whole = shifted[4 if before else 0 : len(shifted) // 4 * 4 - 4]
        texts[f"base64 at {before}"] = whole
        texts[f"base64url at {before}"] = whole.replace("+", "-").replace("/", "_")
    return {name: text.encode() for name, text in texts.items() if len(text) >= 6}


def find_leaks(
    canaries: Iterable[str], sinks: Mapping[str, bytes | str]
) -> list[tuple[str, str]]:
    """Name each sink and spelling in which a canary stands."""
    found = []
    wanted = [spellings(canary) for canary in canaries]
    for sink, content in sinks.items():
        text = (
            content.encode("utf-8", "surrogatepass")
            if isinstance(content, str)
            else content
        )
        for forms in wanted:
            found += [(sink, name) for name, form in forms.items() if form in text]
    return found

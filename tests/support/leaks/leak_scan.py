"""Finds canaries in any output, raw or in common encodings and digests."""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from ahocorasick_rs import BytesAhoCorasick

SHORTEST = 6  # shorter texts occur by chance
DIGESTS = ("md5", "sha1", "sha256", "sha512")
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}

Canary = str | bytes


@lru_cache(maxsize=1024)
def spellings(canary: Canary) -> Mapping[str, bytes]:
    """Return the encodings of a canary by name."""
    raw = canary if isinstance(canary, bytes) else canary.encode()
    found = dict(_of_bytes(raw))
    if isinstance(canary, str):
        found |= _of_text(canary)
    return {name: form for name, form in found.items() if len(form) >= SHORTEST}


def _of_bytes(raw: bytes) -> Iterator[tuple[str, bytes]]:
    yield "raw", raw
    yield "reversed", raw[::-1]
    yield "hex", raw.hex().encode()
    yield "hex, capitals", raw.hex().upper().encode()
    yield "url-encoded throughout", b"".join(b"%%%02X" % byte for byte in raw)
    yield "comma-separated bytes", ", ".join(map(str, raw)).encode()
    yield "comma-separated bytes, close", ",".join(map(str, raw)).encode()
    yield "repr of bytes", repr(raw)[2:-1].encode()
    for name in DIGESTS:
        digest = hashlib.new(name, raw, usedforsecurity=False).hexdigest()
        yield name, digest.encode()
        yield f"{name}, capitals", digest.upper().encode()
    for before in range(3):
        shifted = base64.b64encode(b"\0" * before + raw)
        whole = shifted[4 if before else 0 : len(shifted) // 4 * 4 - 4]
        yield f"base64 at {before}", whole
        yield f"base64url at {before}", whole.translate(bytes.maketrans(b"+/", b"-_"))


def _of_text(canary: str) -> dict[str, bytes]:
    groups = [canary[at : at + 4] for at in range(0, len(canary), 4)]
    texts = {
        "grouped": " ".join(groups),
        "dashed": "-".join(groups),
        "reversed": canary[::-1],
        "url-encoded": quote(canary, safe=""),
        "json-escaped": json.dumps(canary)[1:-1],
        "json-escaped throughout": "".join(f"\\u{ord(char):04x}" for char in canary),
        "repr": repr(canary)[1:-1],
        "full-width": canary.translate(FULL_WIDTH),
    }
    return {name: text.encode() for name, text in texts.items()}


class _Search(NamedTuple):
    """One automaton for all spellings, so that each sink is read once."""

    automaton: BytesAhoCorasick
    spellings: tuple[tuple[str, int], ...]  # name, and number in the automaton


@lru_cache(maxsize=64)
def _compile(canaries: tuple[Canary, ...]) -> _Search:
    for canary in canaries:
        if len(canary) < SHORTEST:
            raise ValueError(f"a canary of less than {SHORTEST} characters")
    named = [pair for canary in canaries for pair in spellings(canary).items()]
    numbers = {form: at for at, form in enumerate(dict.fromkeys(f for _, f in named))}
    numbered = tuple((name, numbers[form]) for name, form in named)
    return _Search(BytesAhoCorasick(list(numbers)), numbered)


def find_leaks(
    canaries: Iterable[Canary], sinks: Mapping[str, bytes | str]
) -> list[tuple[str, str]]:
    """Return each sink that contains a canary, with the name of its spelling.

    The compiled search is cached by its canaries.
    """
    search = _compile(tuple(sorted(set(canaries), key=repr)))
    found = []
    for sink, content in sinks.items():
        text = (
            content.encode("utf-8", "surrogatepass")
            if isinstance(content, str)
            else content
        )
        matches = search.automaton.find_matches_as_indexes(text, overlapping=True)
        hits = {number for number, _, _ in matches}
        found += [(sink, name) for name, number in search.spellings if number in hits]
    return found

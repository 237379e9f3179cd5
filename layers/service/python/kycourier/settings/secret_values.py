"""Reads a secret from what somebody stored: one reader for every setting and cloud."""

import re

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.strict_json import MalformedJsonError, parse_json

_OBJECT = re.compile(r"\{\s*[\"}]")


def decode_secret(content: bytes | str) -> Secret:
    """Decodes what a store holds; bytes that are not UTF-8 stay, to be judged later.

    Raises:
        StoreUnavailableError: it is empty.
    """
    if isinstance(content, bytes):
        content = content.decode("utf-8", "surrogateescape")
    if not content:
        raise StoreUnavailableError("secret is missing or empty")
    return Secret(content)


def unwrap_secret(stored: Secret, *, member: str | None) -> Secret:
    """Returns the secret without what editors and consoles put around it.

    A BOM and the white space around it are dropped. A JSON object with exactly one
    string member, the key/value form of AWS's console, is that member.

    Args:
        stored: The value as stored.
        member: The member to read, which makes a JSON object mandatory.

    Raises:
        StoreUnavailableError: it is empty, not UTF-8, or another JSON object.
    """
    text = stored.expose().removeprefix("\ufeff").strip()
    if not _is_utf8(text):
        raise StoreUnavailableError("secret is not UTF-8")
    if member is not None or _OBJECT.match(text):
        text = _read_member(text, member).strip()
    if not text:
        raise StoreUnavailableError("secret is missing or empty")
    return Secret(text)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_member(text: str, member: str | None) -> str:
    try:
        members = parse_json(text.encode())
    except MalformedJsonError:
        members = None
    if not isinstance(members, dict):
        raise StoreUnavailableError("secret is not the JSON object that it looks like")
    if member is None and len(members) != 1:
        raise StoreUnavailableError(
            "secret is a JSON object of several members: choose one with ?key=member"
        )
    value = members.get(member) if member else next(iter(members.values()))
    if not isinstance(value, str):
        raise StoreUnavailableError("secret's JSON object has no such text member")
    return value

"""Reads a secret from the text or bytes that somebody stored."""

from contextlib import suppress

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret


def parse_secret_value(text: str) -> Secret:
    """Reads a text unchanged.

    Raises:
        StoreUnavailableError: it is empty, or not UTF-8, as an environment may hold.
    """
    if not text:
        raise StoreUnavailableError("secret is missing or empty")
    with suppress(UnicodeEncodeError):
        text.encode()
        return Secret(text)
    raise StoreUnavailableError("secret is not UTF-8")


def parse_secret_file(content: bytes | str) -> Secret:
    """Reads what a person stored; one newline at its end comes from the editor.

    Raises:
        StoreUnavailableError: it is empty or not UTF-8.
    """
    text = _decode(content) if isinstance(content, bytes) else content
    return parse_secret_value(text.removesuffix("\n"))


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass  # raised below: the foreign error carries the bytes themselves
    raise StoreUnavailableError("secret is not UTF-8")

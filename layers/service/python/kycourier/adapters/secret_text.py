"""How a secret is read from the text or bytes that somebody put where it is kept."""

from contextlib import suppress

from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import Secret


def read_secret(text: str) -> Secret:
    """Read a text as it stands.

    Raises StoreUnavailable when it is empty or, as an environment may be, no UTF-8.
    """
    if not text:
        raise StoreUnavailable("secret is missing or empty")
    with suppress(UnicodeEncodeError):
        text.encode()
        return Secret(text)
    raise StoreUnavailable("secret is not UTF-8")


def read_written_secret(content: bytes | str) -> Secret:
    """Read what a person wrote: one newline at its end is the editor's.

    Raises StoreUnavailable when it is empty or no UTF-8.
    """
    text = _decode(content) if isinstance(content, bytes) else content
    return read_secret(text.removesuffix("\n"))


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        pass  # raised below: the foreign error carries the bytes themselves
    raise StoreUnavailable("secret is not UTF-8")

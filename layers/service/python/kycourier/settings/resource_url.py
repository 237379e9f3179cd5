"""A setting's URL: which store, sink, queue or secret it names."""

from urllib.parse import quote, unquote

from msgspec import Struct

from kycourier.core.redaction import repr_only

_PATH_CHARACTERS = "/!$&'()*+,;=:@~"  # RFC 3986: need no encoding


@repr_only("scheme")  # the rest of a Redis URL may hold a password
class ResourceUrl(Struct, frozen=True):
    """A URL that names a store, sink, queue or secret. `rest` is all after `://`.

    `member` is the JSON member of a secret that `?key=` chooses; `rest` is without it.
    """

    scheme: str
    rest: str
    member: str | None = None

    @property
    def is_webhook(self) -> bool:
        """Whether it is a receiver's own URL."""
        return self.scheme in {"http", "https"}

    @property
    def base_uri(self) -> str:
        """What an object's key is appended to: no query, no slash at the end."""
        path = self.rest.partition("?")[0].rstrip("/")
        return f"{self.scheme}://{quote(path, safe=_PATH_CHARACTERS)}"


def split_member(rest: str) -> tuple[str, str | None]:
    """Splits `?key=member` off a secret reference; other parameters stay."""
    path, _, query = rest.partition("?")
    parameters = query.split("&") if query else []
    chosen = [each for each in parameters if each.startswith("key=")]
    if len(chosen) != 1:
        return rest, None
    others = "&".join(each for each in parameters if each not in chosen)
    member = unquote(chosen[0].removeprefix("key="))
    return f"{path}?{others}" if others else path, member or None

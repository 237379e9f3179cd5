"""A setting's URL: which store, sink, queue or secret it names."""

from urllib.parse import quote

from msgspec import Struct

from kycourier.core.redaction import repr_only

_PATH_CHARACTERS = "/!$&'()*+,;=:@~"  # RFC 3986: need no encoding


@repr_only("scheme")  # the rest of a Redis URL may hold a password
class ResourceUrl(Struct, frozen=True):
    """A URL that names a store, sink, queue or secret. `rest` is all after `://`."""

    scheme: str
    rest: str

    @property
    def base_uri(self) -> str:
        """What an object's key is appended to: no query, no slash at the end."""
        path = self.rest.partition("?")[0].rstrip("/")
        return f"{self.scheme}://{quote(path, safe=_PATH_CHARACTERS)}"

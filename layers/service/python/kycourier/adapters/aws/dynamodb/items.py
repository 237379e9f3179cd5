"""Converts values of DynamoDB items: strings, integers and bytes."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import repr_only

Value = str | int | bytes


def to_wire(value: Value) -> dict[str, str | bytes]:
    """Returns a value in the API's form; the JSON encoder makes bytes Base64."""
    if isinstance(value, str):
        return {"S": value}
    return {"B": value} if isinstance(value, bytes) else {"N": str(value)}


@repr_only()
class Item(Struct, frozen=True):
    """An item as it was read; it may hold a ticket pair.

    An absent attribute is None; one of another type raises StoreUnavailableError.
    """

    wire: Mapping[str, Mapping[str, Any]]

    def text(self, name: str) -> str | None:
        """Returns a string attribute."""
        value: str | None = self._find(name, "S")
        return value

    def number(self, name: str) -> int | None:
        """Returns an integer attribute."""
        value: str | None = self._find(name, "N")
        return None if value is None else int(value)

    def content(self, name: str) -> bytes | None:
        """Returns a bytes attribute."""
        value: str | None = self._find(name, "B")
        try:
            return None if value is None else b64decode(value, validate=True)
        except ValueError:
            pass  # raised below: the original error may hold the content
        raise StoreUnavailableError("item unreadable")

    def _find(self, name: str, kind: str) -> Any:  # noqa: ANN401 - depends on `kind`
        if name not in self.wire:
            return None
        if kind not in self.wire[name]:
            raise StoreUnavailableError("item unreadable")
        return self.wire[name][kind]

"""How values stand in an item of DynamoDB: texts, whole numbers and bytes."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from kycourier.core.errors import StoreUnavailable
from kycourier.core.hidden import shows

Value = str | int | bytes


def to_wire(value: Value) -> dict[str, str | bytes]:
    """Write a value as DynamoDB's API has it; bytes become Base64 with the JSON."""
    if isinstance(value, str):
        return {"S": value}
    return {"B": value} if isinstance(value, bytes) else {"N": str(value)}


@shows()
class Item(Struct, frozen=True):
    """An item as it was read, also one that holds a pair; what it lacks is None.

    An attribute of another type than is asked for raises StoreUnavailable.
    """

    wire: Mapping[str, Mapping[str, Any]]

    def text(self, name: str) -> str | None:
        """Give a text."""
        value: str | None = self._find(name, "S")
        return value

    def number(self, name: str) -> int | None:
        """Give a whole number."""
        value: str | None = self._find(name, "N")
        return None if value is None else int(value)

    def content(self, name: str) -> bytes | None:
        """Give bytes."""
        value: str | None = self._find(name, "B")
        try:
            return None if value is None else b64decode(value, validate=True)
        except ValueError:
            pass  # raised below: the foreign error may hold what was read
        raise StoreUnavailable("item unreadable")

    def _find(self, name: str, kind: str) -> Any:  # noqa: ANN401 - as `kind` says
        if name not in self.wire:
            return None
        if kind not in self.wire[name]:
            raise StoreUnavailable("item unreadable")
        return self.wire[name][kind]

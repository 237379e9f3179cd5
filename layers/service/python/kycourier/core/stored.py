"""Records as stores keep them: JSON with a schema number, read by old and new code."""

from typing import TypeVar

import msgspec

from kycourier.core.errors import NewerSchema, StoreUnavailable

T = TypeVar("T")


class _Marked(msgspec.Struct):
    schema: int


def decode_stored(text: bytes, kind: type[T], *, schema: int, name: str) -> T:
    """Read a record of `schema` or an older one.

    Raises NewerSchema for one of a newer release, StoreUnavailable for a damaged one.
    """
    record, found = None, schema
    try:
        found = msgspec.json.decode(text, type=_Marked).schema
        if found <= schema:
            record = msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError):
        pass  # raised below: the foreign error carries the text itself
    if found > schema:
        raise NewerSchema(name)
    if record is None:
        raise StoreUnavailable(f"{name} record unreadable")
    return record

"""Decodes stored records: JSON with a schema number, so that releases can coexist."""

from typing import TypeVar

import msgspec

from kycourier.core.errors import NewerSchemaError, StoreUnavailableError

T = TypeVar("T")


class _Schema(msgspec.Struct):
    schema: int


def decode_versioned(text: bytes, kind: type[T], *, schema: int, name: str) -> T:
    """Decodes a record of `schema` or an older one.

    Args:
        text: The record as stored.
        kind: The type to decode.
        schema: The newest schema that this release knows.
        name: The record's name in errors.

    Raises:
        NewerSchemaError: a newer release wrote it.
        StoreUnavailableError: it is damaged.
    """
    record, found = None, schema
    try:
        found = msgspec.json.decode(text, type=_Schema).schema
        if found <= schema:
            record = msgspec.json.decode(text, type=kind)
    except (ValueError, RecursionError):
        pass  # raised below: the foreign error carries the text itself
    if found > schema:
        raise NewerSchemaError(name)
    if record is None:
        raise StoreUnavailableError(f"{name} record unreadable")
    return record

"""Describes how the buckets of one cloud differ from those of another."""

from typing import Literal

from msgspec import Struct

from kycourier.core.redaction import repr_only

NO_BUCKET = "no such bucket in this region"


@repr_only("put_mode")
class S3Dialect(Struct, frozen=True, kw_only=True):
    """How one cloud's buckets differ.

    Attributes:
        put_mode: `create`, where a put fails if the object exists; `overwrite`, where
            a put always succeeds and returns the MD5 of the stored bytes as ETag.
        get_permission: The permission to read objects.
        put_permission: The permission to write objects.
        list_permission: The permission to list keys.
        no_bucket: The reason when the bucket is not found.
    """

    put_mode: Literal["create", "overwrite"]
    get_permission: str
    put_permission: str
    list_permission: str
    no_bucket: str = NO_BUCKET

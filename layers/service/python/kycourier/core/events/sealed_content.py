"""Builds what only the partner may read: the clear values of one result."""

from collections.abc import Mapping

import msgspec

from kycourier.core.orders.record import OrderRecord
from kycourier.core.redaction import Redacted, scrub_traceback

ISSUER = "kycourier"


class SealedContent(Redacted[bytes]):
    """JSON with the clear values; it exists in memory until it is sealed."""

    __slots__ = ()


@scrub_traceback
def build_sealed_content(
    record: OrderRecord, recognized: Mapping[str, object]
) -> SealedContent:
    """Builds the content (schemas/sealed.schema.json).

    Args:
        record: The claimed order; `iat` is when it was claimed.
        recognized: What the document's `reveal` returned.
    """
    content = {
        "iss": ISSUER,
        "iat": int(record.updated_at.timestamp()),
        **record.identity,
        **recognized,
    }
    return SealedContent(msgspec.json.encode(content))

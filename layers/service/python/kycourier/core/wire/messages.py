"""Requests to the platform and its responses, as plain values."""

from msgspec import Struct

from kycourier.core.redaction import Query, ReplyBody, repr_only


class KycRequest(Struct, frozen=True, kw_only=True):
    """One GET request below the platform's base URL."""

    path: str
    query: Query


@repr_only("status")
class KycResponse(Struct, frozen=True, kw_only=True):
    """One whole HTTP response, of any status. `retry_after` is the header's text."""

    status: int
    body: ReplyBody
    retry_after: str | None = None

"""Requests to the platform and its responses, as plain values."""

from msgspec import Struct

from kycourier.core.redaction import Query, ReplyBody, RequestBody, repr_only


class KycRequest(Struct, frozen=True, kw_only=True):
    """One request below the platform's base URL: a POST of JSON if it has a body.

    `max_reply_bytes` caps the reply instead of the deployment's cap.
    """

    path: str
    query: Query
    body: RequestBody | None = None
    max_reply_bytes: int | None = None


@repr_only("status")
class KycResponse(Struct, frozen=True, kw_only=True):
    """One whole HTTP response, of any status. `retry_after` is the header's text."""

    status: int
    body: ReplyBody
    retry_after: str | None = None

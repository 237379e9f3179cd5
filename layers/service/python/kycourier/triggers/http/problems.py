"""The API's errors: RFC 9457 problem details, each with a stable code."""

import msgspec

from kycourier.core.timing import UNAVAILABLE_RETRY_AFTER_SECONDS
from kycourier.triggers.http.event import ApiResponse

MEDIA_TYPE = "application/problem+json"
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
CHALLENGE = "Kycourier-Signature"
PROBLEMS = {
    "bad_request": (400, "The request cannot be read"),
    "bad_headers": (400, "A header has no name, or holds control characters"),
    "bad_json": (400, "The body is not a JSON object"),
    "bad_member": (400, "A member of the body has the wrong type"),
    "unknown_member": (400, "The body has an unknown member"),
    "bad_order_no": (400, "An order number is 1 to 32 ASCII letters and digits"),
    "foreign_app": (400, "The body names another app id"),
    "unknown_document": (400, "The body names an unknown document"),
    "signature_missing": (401, "The request is not signed"),
    "signature_malformed": (401, "The signature header cannot be read"),
    "signature_mismatch": (401, "The signature does not match the request"),
    "signature_expired": (401, "The signature's time is more than 300 s off"),
    "bad_parameter": (400, "A parameter of the query cannot be used"),
    "document_mismatch": (409, "The order is of another document"),
    "unknown_path": (404, "The path does not exist"),
    "unknown_order": (404, "The order does not exist"),
    "unknown_event": (404, "The event does not exist"),
    "unknown_photo": (404, "The photo does not exist"),
    "photo_pending": (409, "The order is not final yet: its photos may follow"),
    "photo_gone": (410, "The photo has been deleted"),
    "method_not_allowed": (405, "The path does not support this method"),
    "body_too_large": (413, "The body is longer than 16 KiB"),
    "url_too_long": (414, "Path and query are longer than 16 KiB"),
    "headers_too_large": (431, "The headers are longer than 16 KiB"),
    "internal_error": (500, "An unexpected error occurred"),
    "sink_unavailable": (502, "The event's receiver did not accept it"),
    "out_of_time": (503, "A dependency did not respond in time"),
    "store_unavailable": (503, "The state store is unavailable"),
    "newer_schema": (503, "The order was written by a newer release"),
    "evidence_unavailable": (503, "The evidence store is unavailable"),
}


def build_problem(
    code: str,
    *,
    allow: str | None = None,
    state: str | None = None,
    cause: str | None = None,
    parameter: str | None = None,
) -> ApiResponse:
    """Builds the response for a code of `PROBLEMS`; it repeats nothing sent.

    Args:
        code: The problem.
        allow: The path's methods, for `method_not_allowed`.
        state: The order's state, where that is the problem.
        cause: Why the event was not accepted, in one word.
        parameter: The known name of the parameter that cannot be used.
    """
    status, title = PROBLEMS[code]
    headers = {**HEADERS, "Content-Type": MEDIA_TYPE}
    if status == 401:  # noqa: PLR2004 - HTTP's own number
        headers["WWW-Authenticate"] = CHALLENGE
    if status == 503:  # noqa: PLR2004 - HTTP's own number
        headers["Retry-After"] = str(UNAVAILABLE_RETRY_AFTER_SECONDS)
    if allow is not None:
        headers["Allow"] = allow
    problem = {
        "type": f"urn:kycourier:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
    }
    details = {"state": state, "cause": cause, "parameter": parameter}
    problem |= {name: each for name, each in details.items() if each is not None}
    return ApiResponse(
        status=status, headers=headers, body=msgspec.json.encode(problem).decode()
    )


def build_json(
    status: int, members: object, *, headers: dict[str, str] | None = None
) -> ApiResponse:
    """Builds a JSON response; instants become RFC 3339 in UTC."""
    return ApiResponse(
        status=status,
        headers={**HEADERS, "Content-Type": "application/json", **(headers or {})},
        body=msgspec.json.encode(members).decode(),
    )

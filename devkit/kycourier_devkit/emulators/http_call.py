"""An HTTP request before a gateway turns it into an event, and the API's response."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct


class HttpCall(Struct, frozen=True, kw_only=True):
    """One HTTP request as a gateway receives it; header names in any case."""

    method: str
    path: str
    query: str = ""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""


def build_call(
    method: str, target: str, headers: Sequence[tuple[str, str]]
) -> HttpCall:
    """Builds a request without a body; `target` is a path, and a query if any."""
    path, _, query = target.partition("?")
    return HttpCall(method=method, path=path, query=query, headers=headers)


class ApiResponse(Struct, frozen=True):
    """One response of the orders API; `members` is its JSON body, empty without one."""

    status: int
    headers: Mapping[str, str]
    members: Mapping[str, Any]


def join_headers(headers: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Joins repeated headers with commas, under lower-case names."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]},{value}" if key in joined else value
    return joined


def parse_response(returned: Mapping[str, Any]) -> ApiResponse:
    """Parses what `orders_api` returned to its trigger."""
    body = returned["body"]
    members = json.loads(body) if body else {}
    return ApiResponse(returned["statusCode"], returned["headers"], members)

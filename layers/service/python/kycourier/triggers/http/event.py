"""Parses HTTP events of all gateways, and builds responses in their form.

API Gateway's HTTP v2 and REST v1 events, Lambda function URLs (which are v2), and SCF
function URLs: `body, headers, httpMethod, path, queryString` and nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pybase64
from msgspec import Struct

from kycourier.core.errors import ApiProblemError
from kycourier.core.orders.order_request import MAX_BYTES
from kycourier.core.redaction import Redacted, repr_only

MAX_HEADER_BYTES = 16 * 1024
MAX_URL_BYTES = 16 * 1024
ROOT = "v1"
_RESOURCES = (["orders"], ["health"], ["openapi.json"])
_METHOD = re.compile(r"[A-Z]{1,16}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Members = Mapping[str, object]


class Headers(Redacted[Mapping[str, tuple[str, ...]]]):
    """Headers by lower-case name, one value for each time that they were sent."""

    __slots__ = ()


@repr_only("method")
class HttpRequest(Struct, frozen=True, kw_only=True):
    """One request: `path` from `/v1` on, `query` as in the URL, `body` as sent.

    `has_context`: the event has a `requestContext`, as from every gateway that can
    authenticate, and not from SCF's public function URLs.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    has_context: bool = False

    def values(self, name: str) -> tuple[str, ...]:
        """Returns a header's values; `name` in lower case."""
        return self.headers.expose().get(name, ())


@repr_only("status")
class ApiResponse(Struct, frozen=True, kw_only=True):
    """One HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: str = ""


def parse_event(event: object) -> HttpRequest:
    """Parses a gateway's event. Raises ApiProblemError and nothing else."""
    members = _mapping(event)
    if "httpMethod" in members:
        method, path = members["httpMethod"], members.get("path")
        query = _query_of_v1(members)
    else:
        context = _mapping(members.get("requestContext"))
        method = _mapping(context.get("http")).get("method")
        path = _without_stage(_text(members.get("rawPath")), context.get("stage"))
        query = _text(members.get("rawQueryString", ""))
    path = _text(path)
    if not _METHOD.fullmatch(_text(method)):
        raise ApiProblemError
    if len(path) + len(query) > MAX_URL_BYTES:
        raise ApiProblemError("url_too_long")
    return HttpRequest(
        method=_text(method),
        path=path_from_root(path),
        query=query,
        headers=_headers(members),
        body=_body(members),
        has_context=bool(members.get("requestContext")),
    )


def build_response(response: ApiResponse) -> dict[str, object]:
    """Builds the v2 response form, which REST v1 and SCF understand as well."""
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": response.body,
        "isBase64Encoded": False,
    }


def build_v2_event(method: str, path: str) -> dict[str, object]:
    """Builds the smallest HTTP v2 event that a router needs."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "requestContext": {
            "http": {"method": method, "path": path},
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


def _without_stage(path: str, stage: object) -> str:
    """Removes the stage from a v2 path; the default stage is not in it."""
    if isinstance(stage, str) and path.startswith(f"/{stage}/"):
        return path[len(stage) + 1 :]
    return path


def path_from_root(path: str) -> str:
    """Removes a base path: everything before the API's own `v1`.

    A base path may hold a `v1` too: the API's is the last one before a resource.
    """
    segments = path.split("/")
    roots = [at for at, segment in enumerate(segments) if segment == ROOT]
    own = [at for at in roots if segments[at + 1 : at + 2] in _RESOURCES]
    if not roots:
        return path
    return "/" + "/".join(segments[own[-1] if own else roots[0] :])


def _query_of_v1(members: Members) -> str:
    """Returns the query in URL form; REST v1 has decoded it."""
    for name in (
        "multiValueQueryStringParameters",
        "queryStringParameters",
        "queryString",
    ):
        query = members.get(name)
        if isinstance(query, str):
            return _text(query)
        if query is not None:
            pairs = _pairs(query)
            return "&".join(
                f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs
            )
    return ""


def _headers(members: Members) -> Headers:
    headers = members.get("multiValueHeaders") or members.get("headers") or {}
    found: dict[str, list[str]] = {}
    size = 0
    for name, value in _pairs(headers):
        size += len(name) + len(value)
        if size > MAX_HEADER_BYTES:
            raise ApiProblemError("headers_too_large")
        if not name or _CONTROL.search(name) or _CONTROL.search(value):
            raise ApiProblemError("bad_headers")
        found.setdefault(name.lower(), []).append(value.strip(" \t"))
    return Headers({name: tuple(values) for name, values in found.items()})


def _body(members: Members) -> bytes:
    """Returns the body's bytes; over 16 KiB is refused before decoding."""
    text = _text(members.get("body") or "")
    encoded = members.get("isBase64Encoded", False)
    if len(text) > MAX_BYTES * (2 if encoded is True else 1):
        raise ApiProblemError("body_too_large")
    if encoded is True:
        body = _decode_base64(text)
    elif encoded is False:
        body = text.encode()
    else:
        raise ApiProblemError
    if len(body) > MAX_BYTES:
        raise ApiProblemError("body_too_large")
    return body


def _decode_base64(text: str) -> bytes:
    """Decodes strictly: only what encodes to exactly the same text."""
    body = None
    if text.isascii():
        try:
            body = pybase64.b64decode(text, validate=True)
        except ValueError:
            body = None
    if body is None or pybase64.b64encode(body).decode() != text:
        raise ApiProblemError
    return body


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    """Flattens a mapping whose values are text or lists of text."""
    for name, given in _mapping(value).items():
        for each in given if isinstance(given, list) else [given]:
            yield _text(name), _text(each)


def _mapping(value: object) -> Members:
    if not isinstance(value, Mapping):
        raise ApiProblemError
    return value


def _text(value: object) -> str:
    """Returns text unchanged if it can be encoded as UTF-8."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            pass  # raised below: the foreign error carries the text itself
        else:
            return value
    raise ApiProblemError

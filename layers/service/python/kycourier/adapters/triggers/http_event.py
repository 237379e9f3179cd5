"""HTTP requests as the gateways hand them over, and answers as the gateways want them.

API Gateway's HTTP v2 and REST v1 events, Lambda function URLs (which are v2), and SCF
function URLs: `body, headers, httpMethod, path, queryString` and nothing else.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import pybase64
from msgspec import Struct

from kycourier.core.errors import BadRequest
from kycourier.core.hidden import Hidden, shows
from kycourier.core.message import MOST_BYTES

MOST_HEADER_BYTES = 16 * 1024
MOST_URL_BYTES = 16 * 1024
ROOT = "v1"
_METHOD = re.compile(r"[A-Z]{1,16}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Members = Mapping[str, object]


class Headers(Hidden[Mapping[str, tuple[str, ...]]]):
    """Headers by lower-case name, one value for each time that they were sent."""

    __slots__ = ()


@shows("method")
class HttpRequest(Struct, frozen=True, kw_only=True):
    """One request: `path` from `/v1` on, `query` as in the URL, `body` as sent.

    `has_context` tells whether what handed it over wrote of itself, as every gateway
    that can authenticate does, and SCF's public function URLs do not.
    """

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    has_context: bool = False

    def values(self, name: str) -> tuple[str, ...]:
        """Give a header's values; `name` in lower case."""
        return self.headers.reveal().get(name, ())


@shows("status")
class Answer(Struct, frozen=True, kw_only=True):
    """What is answered."""

    status: int
    headers: Mapping[str, str]
    body: str = ""


def parse_event(event: object) -> HttpRequest:
    """Read a gateway's event. Raises BadRequest and nothing else."""
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
        raise BadRequest
    if len(path) + len(query) > MOST_URL_BYTES:
        raise BadRequest("url_too_long")
    return HttpRequest(
        method=_text(method),
        path=_from_root(path),
        query=query,
        headers=_headers(members),
        body=_body(members),
        has_context=bool(members.get("requestContext")),
    )


def build_response(answer: Answer) -> dict[str, object]:
    """Build the v2 response form, which REST v1 and SCF understand as well."""
    return {
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "body": answer.body,
        "isBase64Encoded": False,
    }


def build_v2_event(method: str, path: str) -> dict[str, object]:
    """Build the least HTTP v2 event that a router needs."""
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
    """Remove the stage, which stands in a v2 path unless it is the default one."""
    if isinstance(stage, str) and path.startswith(f"/{stage}/"):
        return path[len(stage) + 1 :]
    return path


def _from_root(path: str) -> str:
    """Remove a base path: everything before the first `v1`."""
    segments = path.split("/")
    if ROOT not in segments:
        return path
    return "/" + "/".join(segments[segments.index(ROOT) :])


def _query_of_v1(members: Members) -> str:
    """Give the query in its URL's form again; REST v1 has decoded it."""
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
        if size > MOST_HEADER_BYTES:
            raise BadRequest("headers_too_large")
        if not name or _CONTROL.search(name) or _CONTROL.search(value):
            raise BadRequest("bad_headers")
        found.setdefault(name.lower(), []).append(value.strip(" \t"))
    return Headers({name: tuple(values) for name, values in found.items()})


def _body(members: Members) -> bytes:
    """Give the body's bytes; a body over 16 KiB is refused before it is decoded."""
    text = _text(members.get("body") or "")
    encoded = members.get("isBase64Encoded", False)
    if len(text) > MOST_BYTES * (2 if encoded is True else 1):
        raise BadRequest("body_too_large")
    if encoded is True:
        body = _decode_base64(text)
    elif encoded is False:
        body = text.encode()
    else:
        raise BadRequest
    if len(body) > MOST_BYTES:
        raise BadRequest("body_too_large")
    return body


def _decode_base64(text: str) -> bytes:
    """Decode strictly: only what encodes to the very same text again."""
    body = None
    if text.isascii():
        try:
            body = pybase64.b64decode(text, validate=True)
        except ValueError:
            body = None
    if body is None or pybase64.b64encode(body).decode() != text:
        raise BadRequest
    return body


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    """Flatten a mapping whose values are text or lists of text."""
    for name, given in _mapping(value).items():
        for each in given if isinstance(given, list) else [given]:
            yield _text(name), _text(each)


def _mapping(value: object) -> Members:
    if not isinstance(value, Mapping):
        raise BadRequest
    return value


def _text(value: object) -> str:
    """Give text back that can be written as UTF-8."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            pass  # raised below: the foreign error carries the text itself
        else:
            return value
    raise BadRequest

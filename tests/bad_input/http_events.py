"""HTTP events of every gateway, complete and with members missing."""

import base64
from collections.abc import Iterator, Mapping

from hypothesis import strategies as st

from bad_input.strategies import Event, json_values
from support.sample_events import sample_event

GATEWAYS = ("rest_v1", "http_v2", "lambda_url", "scf_url")
ROUTES = [
    ("PUT", "/v1/orders/{}"),
    ("GET", "/v1/orders/{}"),
    ("POST", "/v1/orders/{}/collection"),
    ("GET", "/v1/orders/{}/photos/original"),
    ("POST", "/v1/orders/{}/events/e1/deliveries"),
]
gateways = st.sampled_from(GATEWAYS)


def build_event(
    gateway: str,
    method: str,
    path: str,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    in_base64: bool = False,
) -> Event:
    """Build the event that a gateway sends for a request."""
    fields = dict(headers or {})
    if gateway in {"rest_v1", "scf_url"}:
        event = sample_event(
            "aws_rest_api_v1" if gateway == "rest_v1" else "scf_function_url"
        )
        event |= {"httpMethod": method, "path": path, "headers": fields, "body": None}
        if gateway == "rest_v1":
            pairs = [pair.partition("=") for pair in query.split("&") if pair]
            event["multiValueQueryStringParameters"] = {
                name: [value] for name, _, value in pairs
            } or None
            event["queryStringParameters"] = None
            event["multiValueHeaders"] = {name: [fields[name]] for name in fields}
        else:
            event["queryString"] = query
    else:
        event = sample_event(
            "aws_http_api_v2" if gateway == "http_v2" else "aws_function_url"
        )
        event |= {"rawPath": path, "rawQueryString": query, "headers": fields}
        event["requestContext"]["http"] |= {"method": method, "path": path}
        event["requestContext"]["stage"] = "$default"
        event.pop("body", None)
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if in_base64 else body.decode()
        if in_base64 or gateway != "scf_url":
            event["isBase64Encoded"] = in_base64
    return event


def _member_paths(value: object, before: tuple[object, ...] = ()) -> Iterator[tuple]:
    """Yield the path of every member, nested ones too."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield (*before, name)
            yield from _member_paths(member, (*before, name))


@st.composite
def broken_events(draw: st.DrawFn, names: tuple[str, ...]) -> Event:
    """Draw a complete event with some members missing or replaced."""
    event = sample_event(draw(st.sampled_from(names)))
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(sorted(_member_paths(event))))
        parent = event
        for name in path:
            parent = parent[name]
        if draw(st.booleans()):
            del parent[last]
        else:
            parent[last] = draw(json_values)
    return event

"""Requests as every gateway hands them over, whole and with something missing."""

import base64
from collections.abc import Iterator, Mapping

from hypothesis import strategies as st

from api_caller import sample
from bad_input.strategies import Event, json_values

GATEWAYS = ("rest_v1", "http_v2", "lambda_url", "scf_url")


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
    """Make the event that a gateway makes of a request."""
    given = dict(headers or {})
    if gateway in {"rest_v1", "scf_url"}:
        event = sample(
            "aws_rest_api_v1" if gateway == "rest_v1" else "scf_function_url"
        )
        event |= {"httpMethod": method, "path": path, "headers": given, "body": None}
        if gateway == "rest_v1":
            pairs = [pair.partition("=") for pair in query.split("&") if pair]
            event["multiValueQueryStringParameters"] = {
                name: [value] for name, _, value in pairs
            } or None
            event["queryStringParameters"] = None
            event["multiValueHeaders"] = {name: [given[name]] for name in given}
        else:
            event["queryString"] = query
    else:
        event = sample(
            "aws_http_api_v2" if gateway == "http_v2" else "aws_function_url"
        )
        event |= {"rawPath": path, "rawQueryString": query, "headers": given}
        event["requestContext"]["http"] |= {"method": method, "path": path}
        event["requestContext"]["stage"] = "$default"
        event.pop("body", None)
    if body is not None:
        event["body"] = base64.b64encode(body).decode() if in_base64 else body.decode()
        if in_base64 or gateway != "scf_url":
            event["isBase64Encoded"] = in_base64
    return event


def _places(value: object, before: tuple[object, ...] = ()) -> Iterator[tuple]:
    """Give the way to every member, inner ones too."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield (*before, name)
            yield from _places(member, (*before, name))


@st.composite
def broken_events(draw: st.DrawFn, names: tuple[str, ...]) -> Event:
    """Take a whole event; some of its members are missing or something else."""
    event = sample(draw(st.sampled_from(names)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(sorted(_places(event))))
        inside = event
        for name in way:
            inside = inside[name]
        if draw(st.booleans()):
            del inside[last]
        else:
            inside[last] = draw(json_values)
    return event


HTTP_SAMPLES = (
    "aws_http_api_v2",
    "aws_rest_api_v1",
    "aws_function_url",
    "aws_function_url_base64",
    "scf_function_url",
    "scf_function_url_no_body",
)

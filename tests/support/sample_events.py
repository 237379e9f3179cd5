"""Documented cloud events, and function URL events built from them."""

import json
from collections.abc import Mapping
from pathlib import Path

EVENTS_FOLDER = Path(__file__).parents[1] / "events"
HTTP_SAMPLES = (
    "aws_http_api_v2",
    "aws_rest_api_v1",
    "aws_function_url",
    "aws_function_url_base64",
    "scf_function_url",
    "scf_function_url_no_body",
)
OTHER_SAMPLES = (
    "aws_sqs_batch",
    "aws_eventbridge_scheduled",
    "scf_ckafka_batch",
    "scf_timer",
)


def sample_event(name: str) -> dict[str, object]:
    """Read a whole event as a cloud sends it."""
    event: dict[str, object] = json.loads(
        (EVENTS_FOLDER / f"{name}.json").read_text("utf-8")
    )
    return event


def function_url_event(
    method: str,
    path: str,
    *,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
    query: str = "",
) -> dict[str, object]:
    """Make a Lambda function URL's event."""
    event = sample_event("aws_function_url")
    event |= {"rawPath": path, "rawQueryString": query}
    event["requestContext"]["http"] |= {"method": method, "path": path}
    event["headers"] |= headers or {}
    return event | ({} if body is None else {"body": body})


def shape(value: object) -> object:
    """Return the types of a JSON value's members; of a list, its first element's."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(value[0])]
    return type(value)

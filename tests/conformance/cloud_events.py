"""Builds the same messages, requests and timers as each cloud's own events."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bad_input.http_events import build_event
from support.sample_events import sample_event

Event = dict[str, object]


class HttpCall(NamedTuple):
    """A partner's HTTP request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Cloud(NamedTuple):
    """Builders of one cloud's events and contexts."""

    name: str
    queue: Callable[[Sequence[str]], Event]
    http: Callable[[HttpCall], Event]
    timer: Callable[[], Event]
    context: Callable[[float], object]


class LambdaContext:
    """Lambda's context object."""

    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"

    def __init__(self, seconds: float) -> None:
        self._milliseconds = int(seconds * 1000)

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


def _sqs(bodies: Sequence[str]) -> Event:
    """Fill the documented batch's first record with each body."""
    record = sample_event("aws_sqs_batch")["Records"][0]
    del record["messageAttributes"]
    return {
        "Records": [
            record | {"messageId": f"m{n}", "body": body}
            for n, body in enumerate(bodies)
        ]
    }


def _ckafka(bodies: Sequence[str]) -> Event:
    """Fill the documented batch's first record with each body."""
    record = sample_event("scf_ckafka_batch")["Records"][0]["Ckafka"]
    return {
        "Records": [
            {"Ckafka": record | {"offset": n, "msgBody": body}}
            for n, body in enumerate(bodies, 36)
        ]
    }


def _over(gateway: str, *, in_base64: bool = False) -> Callable[[HttpCall], Event]:
    def build(call: HttpCall) -> Event:
        return build_event(
            gateway,
            call.method,
            call.path,
            headers=call.headers,
            body=call.body or None,
            in_base64=in_base64,
        )

    return build


AWS = Cloud(
    "HTTP API",
    _sqs,
    _over("http_v2"),
    timer=lambda: sample_event("aws_eventbridge_scheduled"),
    context=LambdaContext,
)
TENCENT = Cloud(
    "SCF",
    _ckafka,
    _over("scf_url"),
    timer=lambda: sample_event("scf_timer"),
    context=lambda seconds: (
        sample_event("scf_context") | {"time_limit_in_ms": int(seconds * 1000)}
    ),
)
OTHERS = (
    AWS._replace(name="REST API", http=_over("rest_v1")),
    AWS._replace(name="Lambda function URL", http=_over("lambda_url", in_base64=True)),
    TENCENT,
    TENCENT._replace(name="SCF, empty timer events", timer=dict),
)


def as_json(value: object) -> object:
    """Return the value after a JSON round trip, as a cloud delivers it."""
    return json.loads(json.dumps(value))

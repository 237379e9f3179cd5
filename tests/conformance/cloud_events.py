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
    numbered = enumerate(bodies)
    return {
        "Records": [record | {"messageId": f"m{n}", "body": b} for n, b in numbered]
    }


def _ckafka(bodies: Sequence[str]) -> Event:
    """Fill the documented batch's first record with each body."""
    record = sample_event("scf_ckafka_batch")["Records"][0]["Ckafka"]
    numbered = enumerate(bodies, 36)
    return {
        "Records": [
            {"Ckafka": record | {"offset": n, "msgBody": b}} for n, b in numbered
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


def _on_aws(name: str, http: Callable[[HttpCall], Event]) -> Cloud:
    def timer() -> Event:
        return sample_event("aws_eventbridge_scheduled")

    return Cloud(name, _sqs, http, timer, LambdaContext)


def _scf_context(seconds: float) -> object:
    return sample_event("scf_context") | {"time_limit_in_ms": int(seconds * 1000)}


AWS = _on_aws("HTTP API", _over("http_v2"))
TENCENT = Cloud(
    "SCF", _ckafka, _over("scf_url"), lambda: sample_event("scf_timer"), _scf_context
)
OTHERS = (
    _on_aws("REST API", _over("rest_v1")),
    _on_aws("Lambda function URL", _over("lambda_url", in_base64=True)),
    TENCENT,
    TENCENT._replace(name="SCF, empty timer events", timer=dict),
)


def as_json(value: object) -> object:
    """Return the value after a JSON round trip, as a cloud delivers it."""
    return json.loads(json.dumps(value))

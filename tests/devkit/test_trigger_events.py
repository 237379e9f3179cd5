"""The events are such as the functions' own readers take."""

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kycourier.adapters.triggers.http_event import parse_event
from kycourier_devkit.functions.trigger_events import (
    HttpCall,
    Message,
    build_http_event,
    build_queue_event,
    build_timer_event,
)

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
SAMPLES = Path(__file__).parents[1] / "events"


def shape(value):
    return {
        name: shape(member) if isinstance(member, dict) else type(member)
        for name, member in value.items()
    }


@pytest.mark.parametrize("body", [b"", b'{"document":"bank_card"}', b"\xff\x00"])
def test_a_request_is_read_as_it_was_sent(body):
    call = HttpCall(
        method="POST",
        path="/v1/orders/A1/collection",
        query="a=1&b=%2F",
        headers=(("Prefer", "wait=1"), ("prefer", "respond-async"), ("Host", "here")),
        body=body,
    )
    request = parse_event(build_http_event(call, at=AT))
    assert (request.method, request.path) == ("POST", "/v1/orders/A1/collection")
    assert (request.query, request.body) == ("a=1&b=%2F", body)
    assert request.values("prefer") == ("wait=1,respond-async",)


def test_a_request_has_the_members_of_the_gateways_own_sample():
    sample = json.loads((SAMPLES / "aws_http_api_v2.json").read_text())
    call = HttpCall(method="GET", path="/v1/health", body=b"{}")
    built = build_http_event(call, at=AT)
    assert set(sample) - set(built) <= {
        "cookies",
        "pathParameters",
        "queryStringParameters",
        "stageVariables",
    }
    assert shape(sample)["requestContext"]["http"] == shape(
        built["requestContext"]["http"]
    )


def test_a_batch_has_the_members_of_the_queues_own_sample():
    sample = json.loads((SAMPLES / "aws_sqs_batch.json").read_text())
    event = build_queue_event([Message(id="m1", body="{}", receives=3)], at=AT)
    [record] = event["Records"]
    assert record["messageId"] == "m1"
    assert record["attributes"]["ApproximateReceiveCount"] == "3"
    assert record["attributes"]["SentTimestamp"] == "1767323045000"
    assert set(sample["Records"][0]) - set(record) <= {"eventSourceARN"}


def test_a_timer_has_the_members_of_the_clouds_own_sample():
    sample = json.loads((SAMPLES / "aws_eventbridge_scheduled.json").read_text())
    event = build_timer_event("sweep_orders", at=AT)
    assert shape(event) == shape(sample)
    assert event["time"] == "2026-01-02T03:04:05Z"

"""Built events have the members of the clouds' samples, and the service parses them."""

from datetime import datetime, timezone

import pytest

from kycourier.triggers.http.event import parse_event
from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.lambda_runtime.events import (
    Message,
    build_http_event,
    build_queue_event,
    build_timer_event,
)
from support.sample_events import sample_event

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def shape(value):
    return {
        name: shape(member) if isinstance(member, dict) else type(member)
        for name, member in value.items()
    }


@pytest.mark.parametrize("body", [b"", b'{"document":"bank_card"}', b"\xff\x00"])
def test_service_parses_the_request_that_was_sent(body):
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


def test_request_has_the_members_of_the_sample():
    documented = sample_event("aws_http_api_v2")
    call = HttpCall(method="GET", path="/v1/health", body=b"{}")
    built = build_http_event(call, at=AT)
    assert set(documented) - set(built) <= {
        "cookies",
        "pathParameters",
        "queryStringParameters",
        "stageVariables",
    }
    assert shape(documented)["requestContext"]["http"] == shape(
        built["requestContext"]["http"]
    )


def test_batch_has_the_members_of_the_sample():
    documented = sample_event("aws_sqs_batch")
    event = build_queue_event([Message(id="m1", body="{}", receives=3)], at=AT)
    [record] = event["Records"]
    assert record["messageId"] == "m1"
    assert record["attributes"]["ApproximateReceiveCount"] == "3"
    assert record["attributes"]["SentTimestamp"] == "1767323045000"
    assert set(documented["Records"][0]) - set(record) <= {"eventSourceARN"}


def test_timer_event_has_the_members_of_the_sample():
    documented = sample_event("aws_eventbridge_scheduled")
    event = build_timer_event("sweep_orders", at=AT)
    assert shape(event) == shape(documented)
    assert event["time"] == "2026-01-02T03:04:05Z"

"""Built events have the members of the clouds' samples, and the service parses them."""

import json
from datetime import datetime, timezone

import pytest

from kycourier.triggers.http.event import parse_event
from kycourier_devkit.emulators.http_call import HttpCall
from kycourier_devkit.emulators.lambda_runtime import events as aws
from kycourier_devkit.emulators.scf_runtime import events as scf
from support.sample_events import sample_event, shape

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.mark.parametrize("body", [b"", b'{"document":"bank_card"}', b"\xff\x00"])
def test_service_parses_the_request_that_was_sent(body):
    call = HttpCall(
        method="POST",
        path="/v1/orders/A1/collection",
        query="a=1&b=%2F",
        headers=(("Prefer", "wait=1"), ("prefer", "respond-async"), ("Host", "here")),
        body=body,
    )
    request = parse_event(aws.build_http_event(call, at=AT))
    assert (request.method, request.path) == ("POST", "/v1/orders/A1/collection")
    assert (request.query, request.body) == ("a=1&b=%2F", body)
    assert request.values("prefer") == ("wait=1,respond-async",)


def test_request_on_aws_has_the_members_of_the_sample():
    documented = sample_event("aws_http_api_v2")
    call = HttpCall(method="GET", path="/v1/health", body=b"{}")
    built = aws.build_http_event(call, at=AT)
    optional = {"cookies", "pathParameters", "queryStringParameters", "stageVariables"}
    assert set(documented) - set(built) <= optional
    http = built["requestContext"]["http"]
    assert shape(documented["requestContext"]["http"]) == shape(http)


def test_batch_on_aws_has_the_members_of_the_sample():
    documented = sample_event("aws_sqs_batch")
    message = aws.Message(id="m1", body="{}", receives=3)
    [record] = aws.build_queue_event([message], at=AT)["Records"]
    assert record["messageId"] == "m1"
    assert record["attributes"]["ApproximateReceiveCount"] == "3"
    assert record["attributes"]["SentTimestamp"] == "1767323045000"
    assert set(documented["Records"][0]) - set(record) <= {"eventSourceARN"}


def test_timer_on_aws_has_the_members_of_the_sample():
    event = aws.build_timer_event("sweep_orders", at=AT)
    assert shape(event) == shape(sample_event("aws_eventbridge_scheduled"))
    assert event["time"] == "2026-01-02T03:04:05Z"


def test_request_on_scf_equals_the_sample():
    documented = sample_event("scf_function_url")
    call = HttpCall(
        method="PUT",
        path=documented["path"],
        query="note=a%20b&trace=on",
        headers=list(documented["headers"].items()),
        body=documented["body"].encode(),
    )
    lower_case = {name.lower(): text for name, text in documented["headers"].items()}
    expected = documented | {"headers": lower_case}
    assert json.loads(json.dumps(scf.build_url_event(call))) == expected


def test_batch_on_scf_has_the_members_of_the_sample():
    documented = sample_event("scf_ckafka_batch")
    bodies = [each["Ckafka"]["msgBody"] for each in documented["Records"]]
    built = scf.build_ckafka_event(bodies, first_offset=36)
    records = [each["Ckafka"] for each in built["Records"]]
    assert shape(built) == shape(documented)
    assert [each["offset"] for each in records] == [36, 37, 38]
    assert [each["msgBody"] for each in records] == bodies


def test_timer_on_scf_equals_the_sample():
    at = datetime(2026, 1, 1, 0, 5, tzinfo=timezone.utc)
    assert scf.build_timer_event("kycourier-sweep", at=at) == sample_event("scf_timer")

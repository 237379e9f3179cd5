"""Orders in the envelopes of topics, buses and pipes; what no trigger may swallow."""

import json

import pytest

from kycourier.core.errors import ApiProblemError, StoreUnavailableError
from kycourier.core.orders.record import OrderState
from kycourier.triggers.envelopes import unwrap
from support.failing_ports import raising
from support.rigs.in_memory import APP

ORDER = {"order_no": "A1", "app_id": None, "document": None}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BUS = {"version": "0", "id": "e-1", "detail-type": "scan", "source": "ours"}
TOPIC = {"Type": "Notification", "MessageId": "n-1", "TopicArn": "arn:aws:sns:r:1:t"}


def on_bus(detail):
    return {**BUS, "detail": detail}


def on_topic(message):
    return {**TOPIC, "Message": json.dumps(message)}


def sqs(body):
    return {"messageId": "m-1", "body": json.dumps(body), "eventSource": "aws:sqs"}


def sns(message, **attributes):
    notification = {**on_topic(message), "MessageAttributes": attributes}
    return {"Records": [{"EventSource": "aws:sns", "Sns": notification}]}


def handle(app, event):
    return app.worker().orders_queue().handle(event, app.time())


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"Records": [sqs(ORDER)]}, id="SQS"),
        pytest.param([sqs(ORDER)], id="EventBridge Pipes"),
        pytest.param({"Records": [sqs(on_topic(ORDER))]}, id="SNS in SQS"),
        pytest.param({"Records": [sqs(on_bus(ORDER))]}, id="EventBridge in SQS"),
        pytest.param(
            {"Records": [sqs(on_topic(on_bus(ORDER)))]}, id="EventBridge in SNS in SQS"
        ),
        pytest.param(sns(ORDER), id="SNS"),
        pytest.param(sns(on_bus(ORDER)), id="EventBridge in SNS"),
        pytest.param(on_bus(ORDER), id="EventBridge"),
    ],
)
def test_order_is_collected_out_of_every_envelope(app, event):
    response = handle(app, event)
    assert app.load("A1").state is OrderState.COLLECTED
    if "batchItemFailures" in response:
        assert response == {"batchItemFailures": []}
    else:
        assert response["state"] == "collected"


def test_notification_carries_its_trace(app):
    handle(app, sns(ORDER, traceparent={"Type": "String", "Value": TRACE}))
    assert app.load("A1").traceparent == TRACE


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(sns({"order_no": "no!"}), id="SNS"),
        pytest.param(sns("A1"), id="SNS text"),
        pytest.param(on_bus({"order_no": "no!"}), id="EventBridge"),
        pytest.param(on_bus("A1"), id="EventBridge without detail"),
        pytest.param({"Records": [{"kinesis": {"data": "e30="}}]}, id="Kinesis"),
        pytest.param({"Records": [{"dynamodb": {"Keys": {}}}]}, id="DynamoDB stream"),
        pytest.param({"eventSource": "aws:kafka", "records": {}}, id="MSK"),
        pytest.param({"requestPayload": {}, "responsePayload": {}}, id="destination"),
        *(
            pytest.param({"Records": records}, id=f"records {records!r}")
            for records in (None, {}, "x", [None], [5], [{}], [{"messageId": 7}])
        ),
        pytest.param({}, id="empty"),
        pytest.param(None, id="null"),
    ],
)
def test_unusable_event_raises_so_that_its_trigger_tries_again(app, event):
    with pytest.raises(ApiProblemError):
        handle(app, event)
    ((_, source, _),) = app.stores.orders.poison
    assert source == "notification"
    assert app.log_events() == ["message_unprocessable", "request_refused"]


def test_failing_store_raises_for_a_notification(app, monkeypatch):
    monkeypatch.setattr(app.stores.orders, "claim", raising(StoreUnavailableError))
    with pytest.raises(StoreUnavailableError):
        handle(app, on_bus(ORDER))


def test_batch_with_a_foreign_record_raises_after_the_others_are_collected(app):
    with pytest.raises(ApiProblemError):
        handle(app, {"Records": [sqs(ORDER), {"kinesis": {}}]})
    assert app.load("A1").state is OrderState.COLLECTED
    assert app.stores.orders.poison == [(APP, "batch", "bad_envelope")]


def test_empty_batch_has_no_failures(app):
    for event in ([], {"Records": []}):
        assert handle(app, event) == {"batchItemFailures": []}


def test_envelopes_are_opened_three_deep():
    members = ORDER
    for _ in range(4):
        members = on_topic(members)
    assert "Message" in unwrap(members)

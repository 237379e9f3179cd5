"""The route that sends an event again, over the real use cases in memory."""

import copy
from datetime import timedelta

import pytest

from kycourier.core.errors import SinkUnavailableError
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import SignedRequest, sign_request
from support.failing_ports import raising
from support.rigs.api_client import ApiClient
from support.rigs.in_memory import APP, MutableSecret
from support.sample_events import function_url_event

AT = "/v1/orders/order1"
KEY = "a-key-of-this-test"


@pytest.fixture
def event(app):
    """Collect the order; return its event as it was published."""
    app.worker().collect("order1")
    return app.sink.events[0]


def resend(api, event_id, **options):
    return api.call("POST", f"{AT}/events/{event_id}/deliveries", **options)


def test_event_is_sent_again_with_its_id_and_bytes(api, app, event):
    response = resend(api, event.id)
    assert (response.status, response.members) == (
        200,
        {"event_id": event.id, "type": event.type, "delivered": True},
    )
    assert [each.body for each in app.sink.events] == [event.body] * 2
    assert app.load("order1").unsent == ()


def test_event_that_was_not_sent_is_sent_and_marked(api, app):
    accepted, app.sink.publish = app.sink.publish, raising(SinkUnavailableError)
    unsent = app.worker().collect("order1").events[-1]
    app.sink.publish = accepted
    assert resend(api, unsent.id).status == 200
    assert [each.body for each in app.sink.events] == [unsent.body]
    assert app.load("order1").unsent == ()


def test_sink_that_fails_is_502_with_its_word(api, app, event):
    app.sink.publish = raising(SinkUnavailableError("text of a library"))
    response = resend(api, event.id)
    assert (response.status, response.code) == (502, "sink_unavailable")
    assert response.members["cause"] == "sink_unavailable"
    assert "library" not in str(response.raw)


@pytest.mark.parametrize(
    ("order", "event_id"),
    [("order1", "unknown"), ("order1", "%0a"), ("order2", "theirs")],
)
def test_unknown_order_and_unknown_event_are_answered_alike(
    api, app, event, order, event_id
):
    event_id = event.id if event_id == "theirs" else event_id
    path = f"/v1/orders/{order}/events/{event_id}/deliveries"
    response = api.call("POST", path)
    assert (response.status, response.code) == (404, "unknown_event")
    assert len(app.sink.events) == 1


def test_call_must_be_signed_and_a_repeated_one_sends_the_same_event(app, event):
    api = ApiClient(app, keys=MutableSecret(KEY))
    assert resend(api, event.id).status == 401
    path = f"{AT}/events/{event.id}/deliveries"
    signature = sign_request(
        SignedRequest(method="POST", path=path, query="", body=b""),
        key=Secret(KEY),
        at=app.clock.now() - timedelta(seconds=1),
    )
    signed = function_url_event(
        "POST", path, headers={"X-Kycourier-Signature": signature}
    )
    for _ in range(2):
        assert api.send(copy.deepcopy(signed)).status == 200
    assert {each.id for each in app.sink.events} == {event.id}
    assert {each.source for each in app.sink.events} == {f"/kycourier/{APP}"}

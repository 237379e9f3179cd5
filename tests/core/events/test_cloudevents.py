"""Published events have exactly the documented attributes."""

import json
from datetime import datetime, timezone

import pytest

from kycourier.core.events.cloudevents import build_event, parse_traceparent
from kycourier.core.orders.record import OrderState
from support.sample_records import draft

AT = datetime(2021, 6, 21, 9, 49, 28, tzinfo=timezone.utc)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("state", [state for state in OrderState if state.is_final])
def test_event_has_the_documented_attributes_and_repeats_them_for_the_sink(state):
    event = build_event(
        draft(traceparent=TRACE), state, {"more": 1}, event_id="e1", now=AT
    )
    attributes = {
        "id": "e1",
        "source": "/kycourier/SANDBOX1",
        "type": f"kycourier.bank_card.{state.value}.v1",
        "subject": "order1",
        "traceparent": TRACE,
    }
    assert json.loads(event.body) == {
        **attributes,
        "specversion": "1.0",
        "time": "2021-06-21T09:49:28Z",
        "datacontenttype": "application/json",
        "data": {
            "app_id": "SANDBOX1",
            "order_no": "order1",
            "document": "bank_card",
            "more": 1,
        },
    }
    assert {name: getattr(event, name) for name in attributes} == attributes
    assert (event.created_at, event.sent) == (AT, False)


def test_event_of_an_untraced_order_has_no_traceparent():
    event = build_event(draft(), OrderState.PARKED, {}, event_id="e2", now=AT)
    assert "traceparent" not in json.loads(event.body)


@pytest.mark.parametrize(
    "text",
    [None, 5, "", TRACE + "\n", TRACE.upper(), "01" + TRACE[2:],
     f"00-{'0' * 32}-{'1' * 16}-01"],
)  # fmt: skip
def test_malformed_traceparent_is_dropped(text):
    assert parse_traceparent(text) is None


def test_valid_traceparent_is_unchanged():
    assert parse_traceparent(TRACE) == TRACE

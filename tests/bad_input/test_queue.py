"""For any queue event, valid records succeed, and only bad ones are returned."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_input.functions import Functions, assert_no_canary, assert_no_leaks
from bad_input.strategies import (
    CANARY,
    FOREIGN_RECORDS,
    LONG,
    NO_JSON,
    bad_messages,
    bad_order_numbers,
    deep,
    envelopes,
    json_values,
    record,
)
from kycourier.core.orders.record import OrderState

GOOD = record("good", '{"order_no":"order1"}')
BAD_BODIES = {
    "missing": None,
    "number": 5,
    "object": {"order_no": "order1"},
    "deep": deep(50_000),
    **{name: body.decode("latin-1") for name, body in (NO_JSON | LONG).items()},
}


@cache
def shared_functions():
    return Functions()


def invoke(event):
    called = shared_functions().call("collect_results", event)
    assert_no_leaks(called, CANARY)
    return called


def assert_fails(event):
    """An event that the trigger would take for success: it raises without a trace."""
    failed = shared_functions().fail("collect_results", event)
    assert_no_canary(failed, CANARY)
    assert "message_unprocessable" in failed.log


def returned(*records):
    """Deliver records; returns the ids of the batch item failures."""
    failures = invoke({"Records": list(records)}).response["batchItemFailures"]
    return [failure["itemIdentifier"] for failure in failures]


@pytest.mark.parametrize("name", BAD_BODIES)
def test_broken_body_is_returned_alone(name):
    bad = record("bad", BAD_BODIES[name])
    if name == "missing":
        del bad["body"]
    assert returned(GOOD, bad) == ["bad"]
    assert shared_functions().app.load("order1").state is OrderState.COLLECTED


@given(bad_messages)
def test_any_broken_body_is_returned_alone(body):
    assert returned(record("bad", body), GOOD) == ["bad"]


@given(bad_order_numbers)
def test_malformed_order_number_in_a_direct_call_is_refused(number):
    called = invoke({"order_no": number})
    assert called.response == {"code": "bad_order_no", "status": 400}


@given(envelopes)
def test_any_envelope_returns_its_ids_or_fails_as_a_whole(event):
    """A record without an id cannot be returned."""
    sent = event["Records"]
    records = sent if isinstance(sent, list) else [None]
    ids = [each.get("messageId") if isinstance(each, dict) else "" for each in records]
    if all(isinstance(name, str) and name for name in ids):
        assert returned(*records) == ids
    else:
        assert_fails(event)


def test_records_of_other_sources_harm_no_record():
    """They have no message id: all are stored as poison records."""
    before = len(shared_functions().app.stores.orders.poison)
    good = record("good", '{"order_no":"order2"}')
    assert_fails({"Records": [*FOREIGN_RECORDS, good]})
    assert shared_functions().app.load("order2").state is OrderState.COLLECTED
    poison = shared_functions().app.stores.orders.poison[before:]
    assert len(poison) == len(FOREIGN_RECORDS)
    assert {problem for *_, problem in poison} == {"bad_envelope"}


@given(json_values.filter(lambda value: value != []))
def test_any_value_as_event_is_refused(event):
    assert_fails(event)


@given(st.sampled_from(["refresh_ticket", "sweep_orders"]), json_values)
def test_event_of_a_timer_is_ignored(name, event):
    called = shared_functions().call(name, event)
    assert_no_leaks(called, CANARY)
    assert called.response.keys() == shared_functions().call(name, {}).response.keys()

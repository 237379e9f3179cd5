"""Whatever the queue brings: good records are done, bad ones alone come back."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bad_input.functions import Functions, assert_silent
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
from kycourier.core.order_record import State

GOOD = record("good", '{"order_no":"order1"}')
BAD_BODIES = {
    "missing": None,
    "number": 5,
    "object": {"order_no": "order1"},
    "deep": deep(50_000),
    **{name: body.decode("latin-1") for name, body in (NO_JSON | LONG).items()},
}


@cache
def functions():
    return Functions()


def answered(event):
    called = functions().call("collect_results", event)
    assert_silent(called, CANARY)
    return called


def returned(*records):
    """Give the ids that come back."""
    failures = answered({"Records": list(records)}).answer["batchItemFailures"]
    return [failure["itemIdentifier"] for failure in failures]


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_broken_body_comes_back_alone(name):
    bad = record("bad", BAD_BODIES[name])
    if name == "missing":
        del bad["body"]
    assert returned(GOOD, bad) == ["bad"]
    assert functions().world.load("order1").state is State.COLLECTED


@given(bad_messages)
def test_any_broken_body_comes_back_alone(body):
    assert returned(record("bad", body), GOOD) == ["bad"]


@given(bad_order_numbers)
def test_a_malformed_order_number_called_directly_is_told(number):
    called = answered({"order_no": number})
    assert called.answer == {"code": "bad_order_no", "status": 400}


@given(envelopes)
def test_any_envelope_is_answered_and_returns_ids_that_were_sent(event):
    """One without an id cannot come back: it is kept as poison, never retried."""
    called = answered(event)
    sent = event["Records"] if isinstance(event["Records"], list) else []
    ids = [each.get("messageId") for each in sent if isinstance(each, dict)]
    back = [each["itemIdentifier"] for each in called.answer["batchItemFailures"]]
    assert back == [name for name in ids if isinstance(name, str) and name]


def test_mixed_sources_harm_no_record():
    """Records of other triggers have no id to come back by: all are kept as poison."""
    before = len(functions().world.state.orders.poison)
    assert returned(*FOREIGN_RECORDS, GOOD, record("bad", "")) == ["bad"]
    poison = functions().world.state.orders.poison[before:]
    assert len(poison) == len(FOREIGN_RECORDS)
    assert {problem for *_, problem in poison} == {"bad_envelope"}


def test_an_empty_batch_is_answered():
    assert returned() == []


@pytest.mark.slow
def test_ten_thousand_records_of_every_kind_are_answered():
    bodies = list(BAD_BODIES.values())
    kinds = (lambda n: record(f"m{n}", bodies[n % 5]), lambda n: FOREIGN_RECORDS[n % 5])
    many = [kinds[number % 2](number) for number in range(10_000)]
    assert len(returned(*many)) == 5_000


@given(json_values)
def test_any_event_is_answered(event):
    """A direct call of any value: told, and kept as poison."""
    assert answered(event).answer["status"] == 400


@given(st.sampled_from(["refresh_ticket", "sweep_orders"]), json_values)
def test_a_timers_event_is_not_read(name, event):
    called = functions().call(name, event)
    assert_silent(called, CANARY)
    assert called.answer.keys() == functions().call(name, {}).answer.keys()

"""An event is sent again: same id, same bytes; its row changes if it was unsent."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from kycourier.core.errors import (
    SinkUnavailableError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.orders.record import OrderKey, OrderState
from kycourier.usecases.resend_event import EventResender
from support.failing_ports import FailingPort, raising
from support.fakes import START
from support.rigs.in_memory import APP
from support.sample_records import EVENT, draft, settled

KEY = OrderKey(APP, "order1")
DUE = START + timedelta(minutes=3)
PARKED = replace(EVENT, id="e0", type="kycourier.bank_card.parked.v1", body="{}")
SENT, PARKED_SENT = replace(EVENT, sent=True), replace(PARKED, sent=True)
GIVEN_UP = replace(PARKED, undeliverable=True)


def row(*events, state=OrderState.COLLECTED, **changes):
    record = replace(settled(draft()), state=state, events=events, due_at=DUE)
    return replace(record, **changes)


def resend(app, record, event_id="e1"):
    app.stores.orders.register(record)
    return app.worker().resender.resend(record.key, event_id)


# name: the row before; the events after; whether the row is still due as before
ROWS = {
    "sent": (row(SENT), (SENT,), True),
    "unsent": (row(EVENT), (SENT,), False),
    "unsent, beside one that is sent": (
        row(PARKED_SENT, EVENT),
        (PARKED_SENT, SENT),
        False,
    ),
    "one of two unsent": (row(PARKED, EVENT), (PARKED, SENT), True),
    "unsent, beside one that was given up": (
        row(GIVEN_UP, EVENT),
        (GIVEN_UP, SENT),
        False,
    ),
    "given up": (row(replace(EVENT, undeliverable=True)), (SENT,), False),
    "earlier, of a reopened order": (
        row(EVENT, state=OrderState.WAITING),
        (SENT,),
        True,
    ),
    "of an order in collection, whose row is its owner's": (
        row(EVENT, state=OrderState.COLLECTING),
        (EVENT,),
        True,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_event_is_sent_and_marked_if_it_was_not(app, name):
    before, events, still_due = ROWS[name]
    assert resend(app, before).id == "e1"
    [published] = app.sink.events
    assert (published.id, published.body) == (EVENT.id, EVENT.body)
    after = app.load("order1")
    assert after.events == events
    assert after.version == before.version + (events != before.events)
    assert after.due_at == (DUE if still_due else None)
    assert after.state is before.state


def test_last_problem_of_the_sink_ends_with_the_delivery(app):
    record = row(EVENT, state=OrderState.PARKED)
    worker = app.worker()
    app.stores.orders.register(record)
    worker.publisher.sink = FailingPort(SinkUnavailableError)
    failed = worker.publisher.publish(app.load("order1"), app.time())
    assert failed.last_problem.cause.value == "sink_unavailable"
    resend(app, failed)
    assert app.load("order1").last_problem is None


def test_sink_that_fails_changes_nothing_in_the_row(app):
    before = row(EVENT)
    app.sink.publish = raising(SinkUnavailableError)
    with pytest.raises(SinkUnavailableError):
        resend(app, before)
    assert app.load("order1") == before
    assert app.log_events() == ["event_publish_failed"]


@pytest.mark.parametrize("error", [StaleOwnerError, StoreUnavailableError])
def test_row_that_cannot_be_marked_is_left_to_the_sweep(app, error):
    before = row(EVENT)
    app.stores.orders.register(before)
    app.stores.orders.commit = raising(error)
    assert app.worker().resender.resend(KEY, "e1") == EVENT
    assert app.load("order1") == before
    assert app.log_events() == ["event_published"]


@pytest.mark.parametrize(
    ("order_no", "event_id"), [("order1", "e2"), ("order1", ""), ("order2", "e1")]
)
def test_unknown_event_sends_nothing(app, order_no, event_id):
    app.stores.orders.register(row(EVENT))
    resender = app.worker().resender
    assert resender.resend(OrderKey(APP, order_no), event_id) is None
    assert app.sink.events == []


def test_nothing_is_sent_if_the_store_fails(app):
    stores = replace(app.stores, orders=FailingPort(StoreUnavailableError))
    resender = EventResender(app.sink, stores=stores, deps=app.worker().deps)
    with pytest.raises(StoreUnavailableError):
        resender.resend(KEY, "e1")
    assert app.sink.events == []

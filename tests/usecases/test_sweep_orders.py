"""The sweep collects due orders, sends unsent events and measures the backlog."""

from datetime import timedelta

import msgspec
import pytest

from kycourier.core.causes import Cause, Problem
from kycourier.core.circuit_breaker import CallResult, Signal
from kycourier.core.errors import SinkUnavailableError, StoreUnavailableError
from kycourier.core.orders.record import OrderKey, OrderState
from kycourier.core.orders.state_machine import Urgency
from support.failing_ports import raising
from support.rigs.fake_platform import error_reply, result_reply
from support.rigs.in_memory import APP, expected_order

STOPPED = Problem(Cause.APP_STOPPED, code="66660001")


def register(app, count):
    """Register orders of which each is due in ten minutes."""
    worker = app.worker()
    for number in range(count):
        worker.register.register(expected_order(f"order{number:04}"))


def sweep(app, seconds=60):
    return app.worker().sweeper.sweep(app.time(seconds))


def states(app):
    return {app.load(key.order_no).state for key in app.stores.orders.rows}


def fields_of(app, event):
    """Return the fields of the one log event of this name."""
    [fields] = [fields for name, fields in app.event_log.entries if name == event]
    return fields


def test_unannounced_order_is_collected_when_due(app):
    register(app, 1)
    app.clock.sleep(598)
    sweep(app)
    assert states(app) == {OrderState.REGISTERED}
    app.clock.sleep(2)
    swept = sweep(app)
    assert (swept.due, swept.skipped) == (1, 0)
    assert states(app) == {OrderState.COLLECTED}


def test_sweep_processes_every_page_of_at_most_fifty_rows(app, monkeypatch):
    register(app, 120)
    app.clock.sleep(600)
    sizes, list_due = [], app.stores.orders.list_due

    def list_and_measure(app_id, *, limit, after=None):
        page = list_due(app_id, limit=limit, after=after)
        sizes.append(len(page.records))
        return page

    monkeypatch.setattr(app.stores.orders, "list_due", list_and_measure)
    assert sweep(app).due == 120
    assert max(sizes) <= 50
    assert states(app) == {OrderState.COLLECTED}
    assert sum(app.upstream.queries.values()) == 120


def test_nothing_starts_near_the_time_limit(app):
    register(app, 60)
    app.clock.sleep(600)
    app.upstream.on_query = lambda _: app.clock.sleep(1)
    sweep(app, seconds=10)
    assert 7 <= sum(app.upstream.queries.values()) <= 9
    app.upstream.on_query = lambda _: None
    sweep(app)
    assert states(app) == {OrderState.COLLECTED}


def test_unreadable_rows_are_logged_and_block_no_other_order(app):
    register(app, 60)
    rows = app.stores.orders.rows
    unreadable = {f"order{number:04}": b"damaged" for number in (0, 1, 55)}
    newer = msgspec.json.decode(rows[OrderKey(APP, "order0002")].record)
    unreadable["order0002"] = msgspec.json.encode(newer | {"schema": 2})
    for order_no, record in unreadable.items():
        key = OrderKey(APP, order_no)
        rows[key] = rows[key]._replace(record=record)
    app.clock.sleep(600)
    sweep(app)
    readable = {key.order_no for key in rows} - unreadable.keys()
    assert {app.load(number).state for number in readable} == {OrderState.COLLECTED}
    assert "rows_unreadable" in app.log_events()


def test_unexpected_error_is_logged_by_name_and_blocks_no_other_order(app):
    register(app, 3)
    app.clock.sleep(600)

    def fail_one(order_no):
        if order_no == "order0001":
            raise ZeroDivisionError

    app.upstream.on_query = fail_one
    assert sweep(app).skipped == 1
    skipped = {"order_no": "order0001", "error": "ZeroDivisionError"}
    assert fields_of(app, "order_skipped") == skipped
    assert app.load("order0002").state is OrderState.COLLECTED


def test_unsent_events_are_sent_while_the_breaker_is_open(app, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(app.sink, "publish", raising(SinkUnavailableError))
        for number in range(60):
            app.worker().collect(f"order{number}")
    app.upstream.scripts["stop"] = [error_reply("66660001")]
    app.worker().collect("stop")
    app.clock.sleep(10)
    sweep(app)
    assert len({event.id for event in app.sink.events}) == 61


def test_sweep_finishes_waiting_orders_while_the_queue_fails(app, monkeypatch):
    monkeypatch.setattr(app.queue, "enqueue", raising(StoreUnavailableError))
    app.upstream.scripts["order1"] = [error_reply("66660020"), result_reply("order1")]
    app.worker().collect("order1", Urgency.NOTIFIED)
    assert "enqueue_failed" in app.log_events()
    app.clock.sleep(5)
    sweep(app)
    assert app.load("order1").state is OrderState.COLLECTED


@pytest.mark.parametrize("stopped", [False, True])
def test_backlog_is_measured_even_while_the_app_is_stopped(app, stopped):
    register(app, 3)
    if stopped:
        app.worker().breaker.record(CallResult(Signal.STOPPED))
    app.clock.sleep(660)
    sweep(app)
    fields = fields_of(app, "sweep_finished")
    assert (fields["orders_due"], fields["oldest_due_seconds"]) == (3, 60)
    expected = OrderState.REGISTERED if stopped else OrderState.COLLECTED
    assert states(app) == {expected}


def test_slow_sink_does_not_exceed_the_time_limit(app, monkeypatch):
    def fail_slowly(_):
        app.clock.sleep(1)
        raise SinkUnavailableError

    monkeypatch.setattr(app.sink, "publish", fail_slowly)
    for number in range(40):
        app.worker().collect(f"order{number}")
    app.clock.sleep(600)
    left = app.time(10)
    app.worker().sweeper.sweep(left)
    assert left.seconds() >= 0.5


def test_age_of_an_unsendable_event_keeps_growing(app, monkeypatch):
    monkeypatch.setattr(app.sink, "publish", raising(SinkUnavailableError))
    worker = app.worker()
    worker.collect("order1")
    ages = []
    for _ in range(30):
        app.clock.sleep(60)
        worker.sweeper.sweep(app.time(55))
        ages.append(app.event_log.entries[-1][1]["oldest_unsent_seconds"])
    for minute in range(10, 30, 5):  # each period of the alarm
        assert max(ages[minute : minute + 6]) > minute * 60


def test_event_whose_response_was_lost_is_sent_again_with_same_id_and_bytes(
    app, monkeypatch
):
    publish = app.sink.publish

    def publish_and_fail(events):
        publish(events)
        raise SinkUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(app.sink, "publish", publish_and_fail)
        app.worker().collect("order1")
    app.clock.sleep(6)
    sweep(app)
    first, again = app.sink.events
    assert again == first
    assert app.load("order1").unsent == ()


def test_order_of_a_stopped_app_is_parked_after_its_deadline(app):
    register(app, 1)
    worker = app.worker()
    app.clock.sleep(600)
    worker.breaker.record(CallResult(Signal.STOPPED, STOPPED))
    sweep(app)
    assert app.load("order0000").state is OrderState.REGISTERED  # before its deadline

    parked_after, ttl = None, timedelta(days=2)
    for minutes in range(0, 60 * 49, 5):
        app.clock.sleep(300)
        sweep(app)
        if app.load("order0000").state is OrderState.PARKED:
            parked_after = timedelta(seconds=600 + 300 * (minutes // 5 + 1))
            break
    row = app.load("order0000")
    assert (row.reason, row.last_problem.problem) == ("app_stopped", STOPPED)
    assert timedelta(minutes=15) <= parked_after - ttl <= timedelta(minutes=45)
    [event] = app.bodies()
    assert event["data"]["last_problem"]["code"] == "66660001"

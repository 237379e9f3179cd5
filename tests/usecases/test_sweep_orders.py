"""The sweep collects due orders, sends unsent events and measures the backlog."""

from datetime import timedelta

import msgspec
import pytest

from kycourier.core.circuit_breaker import Signal
from kycourier.core.errors import SinkUnavailableError
from kycourier.core.orders.record import OrderKey, OrderState
from kycourier.core.orders.state_machine import Urgency
from support.rigs.fake_platform import error_reply, result_reply
from support.rigs.in_memory import APP, InMemoryApp, expected_order


@pytest.fixture
def app():
    return InMemoryApp()


def register(app, count):
    worker = app.worker()
    for number in range(count):
        worker.register.register(expected_order(f"order{number:04}"))


def states(app):
    return {app.load(key.order_no).state for key in app.stores.orders.rows}


def test_unannounced_order_is_collected_when_due(app):
    register(app, 1)
    worker = app.worker()
    app.clock.sleep(598)
    worker.sweeper.sweep(app.time())
    assert app.load("order0000").state is OrderState.REGISTERED
    app.clock.sleep(2)
    swept = worker.sweeper.sweep(app.time())
    assert (swept.due, swept.skipped) == (1, 0)
    assert app.load("order0000").state is OrderState.COLLECTED


def test_sweep_processes_every_page(app):
    register(app, 120)
    app.clock.sleep(600)
    assert app.worker().sweeper.sweep(app.time()).due == 120
    assert states(app) == {OrderState.COLLECTED}
    assert sum(app.upstream.queries.values()) == 120


def test_sweep_loads_at_most_fifty_rows_at_once(app):
    register(app, 120)
    app.clock.sleep(600)
    limits = []
    due = app.stores.orders.list_due

    def watched(app_id, *, limit, after=None):
        page = due(app_id, limit=limit, after=after)
        limits.append(len(page.records))
        return page

    app.stores.orders.list_due = watched
    app.worker().sweeper.sweep(app.time())
    assert max(limits) <= 50


def test_nothing_starts_near_the_time_limit(app):
    register(app, 60)
    app.clock.sleep(600)
    app.upstream.on_query = lambda _: app.clock.sleep(1)
    app.worker().sweeper.sweep(app.time(10))
    assert 7 <= sum(app.upstream.queries.values()) <= 9
    app.upstream.on_query = lambda _: None
    app.worker().sweeper.sweep(app.time())
    assert states(app) == {OrderState.COLLECTED}


def test_unreadable_rows_do_not_block_others(app):
    register(app, 60)
    rows = app.stores.orders.rows
    for number in (0, 1, 55):
        key = OrderKey(APP, f"order{number:04}")
        rows[key] = rows[key]._replace(record=b"damaged")
    newer = OrderKey(APP, "order0002")
    row = msgspec.json.decode(rows[newer].record) | {"schema": 2}
    rows[newer] = rows[newer]._replace(record=msgspec.json.encode(row))
    app.clock.sleep(600)
    app.worker().sweeper.sweep(app.time())
    collected = [
        key
        for key in rows
        if key.order_no not in {"order0000", "order0001", "order0002", "order0055"}
        and app.load(key.order_no).state is OrderState.COLLECTED
    ]
    assert len(collected) == 56


def test_unexpected_error_is_logged_by_name_and_blocks_no_other_order(app):
    register(app, 3)
    app.clock.sleep(600)

    def burst(order_no):
        if order_no == "order0001":
            raise ZeroDivisionError

    app.upstream.on_query = burst
    swept = app.worker().sweeper.sweep(app.time())
    assert swept.skipped == 1
    skipped = [
        fields for name, fields in app.event_log.entries if name == "order_skipped"
    ]
    assert skipped == [{"order_no": "order0001", "error": "ZeroDivisionError"}]
    assert app.load("order0002").state is OrderState.COLLECTED


def test_collection_with_an_ended_lease_is_taken_over(app, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(app.upstream, "respond", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            app.worker().collect("order1")
    worker = app.worker()
    app.clock.sleep(61)
    worker.sweeper.sweep(app.time())
    assert app.load("order1").state is OrderState.COLLECTING
    app.clock.sleep(1)
    worker.sweeper.sweep(app.time())
    assert app.load("order1").state is OrderState.COLLECTED


def test_unsent_events_are_sent_while_the_breaker_is_open(app, monkeypatch):
    def down(_):
        raise SinkUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(app.sink, "publish", down)
        for number in range(60):
            app.worker().collect(f"order{number}")
    app.upstream.scripts["stop"] = [error_reply("66660001")]
    app.worker().collect("stop")
    app.clock.sleep(10)
    app.worker().sweeper.sweep(app.time())
    assert len({event.id for event in app.sink.events}) == 61


def test_unavailable_sink_does_not_prevent_collection(app, monkeypatch):
    def down(_):
        raise SinkUnavailableError

    monkeypatch.setattr(app.sink, "publish", down)
    register(app, 110)
    app.clock.sleep(600)
    for _ in range(3):
        app.worker().sweeper.sweep(app.time())
        app.clock.sleep(60)
    assert states(app) == {OrderState.COLLECTED}
    assert not app.sink.events


def test_sweep_finishes_waiting_orders_without_a_queue(app):
    worker = app.worker()
    worker.collector._queue = None
    app.upstream.scripts["order1"] = [error_reply("66660020"), result_reply("order1")]
    worker.collect("order1", Urgency.NOTIFIED)
    app.clock.sleep(5)
    worker.sweeper.sweep(app.time())
    assert app.load("order1").state is OrderState.COLLECTED


def test_sweep_logs_count_and_age_of_due_orders(app):
    register(app, 2)
    app.clock.sleep(660)
    app.worker().sweeper.sweep(app.time())
    [fields] = [f for fact, f in app.event_log.entries if fact == "sweep_finished"]
    assert fields["orders_due"] == 2
    assert fields["oldest_due_seconds"] == 60


def test_unreadable_rows_are_logged(app):
    register(app, 3)
    rows = app.stores.orders.rows
    key = OrderKey(APP, "order0001")
    rows[key] = rows[key]._replace(record=b"damaged")
    app.clock.sleep(600)
    app.worker().sweeper.sweep(app.time())
    assert ("rows_unreadable", {"count": 1}) in app.event_log.entries


def test_backlog_is_measured_while_the_app_is_stopped(app):
    register(app, 3)
    worker = app.worker()
    worker.breaker.record(Signal.STOPPED, min_open=timedelta(0))
    app.clock.sleep(660)
    worker.sweeper.sweep(app.time())
    [fields] = [f for fact, f in app.event_log.entries if fact == "sweep_finished"]
    assert (fields["orders_due"], fields["oldest_due_seconds"]) == (3, 60)
    assert states(app) == {OrderState.REGISTERED}


def test_slow_sink_does_not_exceed_the_time_limit(app, monkeypatch):
    def slow(_):
        app.clock.sleep(1)
        raise SinkUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(app.sink, "publish", slow)
        for number in range(40):
            app.worker().collect(f"order{number}")
        app.clock.sleep(600)
        left = app.time(10)
        app.worker().sweeper.sweep(left)
    assert left.seconds() >= 0.5


def test_age_of_an_unsendable_event_keeps_growing(app):
    def refuse(_events):
        raise SinkUnavailableError

    app.sink.publish = refuse
    worker = app.worker()
    worker.collect("order1")
    ages = []
    for _ in range(30):
        app.clock.sleep(60)
        worker.sweeper.sweep(app.time(55))
        ages.append(app.event_log.entries[-1][1]["oldest_unsent_seconds"])
    for minute in range(10, 30, 5):  # each period of the alarm
        assert max(ages[minute : minute + 6]) > minute * 60

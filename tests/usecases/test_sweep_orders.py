"""The net below every other way in."""

from datetime import timedelta

import msgspec
import pytest

from kycourier.core.brake import Signal
from kycourier.core.errors import SinkUnavailable
from kycourier.core.models import OrderKey
from kycourier.core.order import Urgency
from kycourier.core.order_record import State
from worlds import APP, World, expected, refusal, result


@pytest.fixture
def world():
    return World()


def register(world, count):
    worker = world.worker()
    for number in range(count):
        worker.register.register(expected(f"order{number:04}"))


def states(world):
    return {world.load(key.order_no).state for key in world.state.orders.rows}


def test_an_order_that_nobody_announced_is_found_when_its_time_has_come(world):
    register(world, 1)
    worker = world.worker()
    world.clock.sleep(598)
    worker.sweeper.sweep(world.time())
    assert world.load("order0000").state is State.REGISTERED
    world.clock.sleep(2)
    swept = worker.sweeper.sweep(world.time())
    assert (swept.due, swept.skipped) == (1, 0)
    assert world.load("order0000").state is State.COLLECTED


def test_pages_are_worked_through_until_nothing_is_due(world):
    register(world, 120)
    world.clock.sleep(600)
    assert world.worker().sweeper.sweep(world.time()).due == 120
    assert states(world) == {State.COLLECTED}
    assert sum(world.upstream.asked.values()) == 120


def test_rows_are_never_loaded_all_at_once(world):
    register(world, 120)
    world.clock.sleep(600)
    limits = []
    due = world.state.orders.due

    def watched(app_id, *, limit, after=None):
        page = due(app_id, limit=limit, after=after)
        limits.append(len(page.records))
        return page

    world.state.orders.due = watched
    world.worker().sweeper.sweep(world.time())
    assert max(limits) <= 50


def test_near_the_time_limit_nothing_new_is_begun(world):
    register(world, 60)
    world.clock.sleep(600)
    world.upstream.on_query = lambda _: world.clock.sleep(1)
    world.worker().sweeper.sweep(world.time(10))
    asked = sum(world.upstream.asked.values())
    assert 7 <= asked <= 9
    world.upstream.on_query = lambda _: None
    world.worker().sweeper.sweep(world.time())
    assert states(world) == {State.COLLECTED}


def test_an_order_that_fails_for_ever_holds_up_no_other(world):
    register(world, 60)
    rows = world.state.orders.rows
    for number in (0, 1, 55):
        key = OrderKey(APP, f"order{number:04}")
        rows[key] = rows[key]._replace(record=b"damaged")
    newer = OrderKey(APP, "order0002")
    row = msgspec.json.decode(rows[newer].record) | {"schema": 2}
    rows[newer] = rows[newer]._replace(record=msgspec.json.encode(row))
    world.clock.sleep(600)
    world.worker().sweeper.sweep(world.time())
    collected = [
        key
        for key in rows
        if key.order_no not in {"order0000", "order0001", "order0002", "order0055"}
        and world.load(key.order_no).state is State.COLLECTED
    ]
    assert len(collected) == 56


def test_an_unforeseen_error_is_noted_by_its_name_and_holds_up_no_other(world):
    register(world, 3)
    world.clock.sleep(600)

    def burst(order_no):
        if order_no == "order0001":
            raise ZeroDivisionError

    world.upstream.on_query = burst
    swept = world.worker().sweeper.sweep(world.time())
    assert swept.skipped == 1
    skipped = [f for fact, f in world.journal.notes if fact == "order_skipped"]
    assert skipped == [{"order_no": "order0001", "error": "ZeroDivisionError"}]
    assert world.load("order0002").state is State.COLLECTED


def test_a_collection_whose_lease_ended_is_taken_over(world, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(world.upstream, "answer", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.worker().collect("order1")
    worker = world.worker()
    world.clock.sleep(61)
    worker.sweeper.sweep(world.time())
    assert world.load("order1").state is State.COLLECTING
    world.clock.sleep(1)
    worker.sweeper.sweep(world.time())
    assert world.load("order1").state is State.COLLECTED


def test_unsent_events_go_out_even_while_the_app_is_paused(world, monkeypatch):
    def down(_):
        raise SinkUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(world.sink, "publish", down)
        for number in range(60):
            world.worker().collect(f"order{number}")
    world.upstream.scripts["stop"] = [refusal("66660001")]
    world.worker().collect("stop")
    world.clock.sleep(10)
    world.worker().sweeper.sweep(world.time())
    assert len({event.id for event in world.sink.events}) == 61


def test_a_sink_that_stays_down_keeps_no_order_from_being_collected(world, monkeypatch):
    def down(_):
        raise SinkUnavailable

    monkeypatch.setattr(world.sink, "publish", down)
    register(world, 110)
    world.clock.sleep(600)
    for _ in range(3):
        world.worker().sweeper.sweep(world.time())
        world.clock.sleep(60)
    assert states(world) == {State.COLLECTED}
    assert not world.sink.events


def test_without_a_queue_the_sweep_brings_waiting_orders_to_their_end(world):
    worker = world.worker()
    worker.collector._queue = None
    world.upstream.scripts["order1"] = [refusal("66660020"), result("order1")]
    worker.collect("order1", Urgency.NOTIFIED)
    world.clock.sleep(5)
    worker.sweeper.sweep(world.time())
    assert world.load("order1").state is State.COLLECTED


def test_what_was_found_is_measured(world):
    register(world, 2)
    world.clock.sleep(660)
    world.worker().sweeper.sweep(world.time())
    [fields] = [f for fact, f in world.journal.notes if fact == "sweep_finished"]
    assert fields["orders_due"] == 2
    assert fields["oldest_due_seconds"] == 60


def test_rows_that_cannot_be_read_are_told(world):
    register(world, 3)
    rows = world.state.orders.rows
    key = OrderKey(APP, "order0001")
    rows[key] = rows[key]._replace(record=b"damaged")
    world.clock.sleep(600)
    world.worker().sweeper.sweep(world.time())
    assert ("rows_unreadable", {"count": 1}) in world.journal.notes


def test_while_the_app_is_paused_the_backlog_is_still_measured(world):
    register(world, 3)
    worker = world.worker()
    worker.brake.report(Signal.STOPPED, least=timedelta(0))
    world.clock.sleep(660)
    worker.sweeper.sweep(world.time())
    [fields] = [f for fact, f in world.journal.notes if fact == "sweep_finished"]
    assert (fields["orders_due"], fields["oldest_due_seconds"]) == (3, 60)
    assert states(world) == {State.REGISTERED}


def test_a_slow_sink_does_not_make_the_sweep_late(world, monkeypatch):
    def slow(_):
        world.clock.sleep(1)
        raise SinkUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(world.sink, "publish", slow)
        for number in range(40):
            world.worker().collect(f"order{number}")
        world.clock.sleep(600)
        left = world.time(10)
        world.worker().sweeper.sweep(left)
    assert left.seconds() >= 0.5


def test_an_event_that_the_sink_never_takes_grows_old_though_it_is_tried_again(world):
    def refuse(_events):
        raise SinkUnavailable

    world.sink.publish = refuse
    worker = world.worker()
    worker.collect("order1")
    told = []
    for _ in range(30):
        world.clock.sleep(60)
        worker.sweeper.sweep(world.time(55))
        told.append(world.journal.notes[-1][1]["oldest_unsent_seconds"])
    for minute in range(10, 30, 5):  # each period of the alarm
        assert max(told[minute : minute + 6]) > minute * 60

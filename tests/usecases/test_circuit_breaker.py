"""The circuit breaker stops every worker of an app."""

from datetime import timedelta

import pytest

from kycourier.core.errors import TransportError
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.state_machine import Urgency
from support.rigs.fake_platform import error_reply, json_reply
from support.rigs.in_memory import APP, InMemoryApp, SkewedClock


@pytest.fixture
def app():
    app = InMemoryApp()
    app.worker().collect("first")
    return app


def collect_many(worker, count):
    return [worker.collect(f"more{number}") for number in range(count)]


def test_throttling_reply_opens_the_breaker_for_all_workers_within_two_seconds(app):
    other = app.worker()
    other.collect("second")
    app.upstream.scripts["third"] = [error_reply("400501")]
    app.worker().collect("third")
    app.clock.sleep(2)
    record = other.collect("fourth")
    assert (record.state, record.reason) == (OrderState.WAITING, "throttled")
    assert app.upstream.queries["fourth"] == 0


def test_worker_with_a_leading_clock_respects_the_open_breaker(app):
    app.upstream.scripts["a"] = [error_reply("400501")]
    app.worker().collect("a")
    ahead = app.worker(clock=SkewedClock(app.clock, off=timedelta(minutes=10)))
    assert ahead.collect("b").reason == "throttled"
    assert app.upstream.queries["b"] == 0


@pytest.mark.parametrize(
    "reply",
    [
        json_reply(b"", status=500),
        json_reply(b"<html>", status=503),
        TransportError("reset"),
    ],
    ids=["500", "503", "reset"],
)
def test_breaker_opens_within_twenty_failed_calls_of_all_workers(app, reply):
    workers = [app.worker() for _ in range(8)]
    for number in range(100):
        app.upstream.scripts[f"o{number}"] = [reply]
    for number in range(100):
        workers[number % 8].collect(f"o{number}")
        app.clock.sleep(0.01)
    calls = sum(app.upstream.queries[f"o{number}"] for number in range(100))
    assert 10 <= calls <= 20
    assert all(
        app.load(f"o{number}").state is OrderState.WAITING for number in range(100)
    )


def test_retry_after_is_respected(app):
    app.upstream.scripts["a"] = [json_reply(b"", status=429, retry_after="120")]
    worker = app.worker()
    worker.collect("a")
    record = worker.collect("b")
    assert record.due_at - app.clock.now() >= timedelta(seconds=119)


def test_successful_trial_call_closes_the_breaker(app):
    app.upstream.scripts["a"] = [error_reply("400506")]
    worker = app.worker()
    worker.collect("a")
    app.clock.sleep(6)
    assert worker.collect("b").state is OrderState.COLLECTED
    assert worker.collect("c").state is OrderState.COLLECTED
    assert "breaker_closed" in app.log_events()


def test_other_workers_wait_during_a_trial_call(app):
    app.upstream.scripts["a"] = [error_reply("400506")]
    worker, other = app.worker(), app.worker()
    worker.collect("a")
    app.clock.sleep(6)

    def meanwhile(_):
        app.upstream.on_query = lambda _: None
        assert other.collect("c").reason == "throttled"

    app.upstream.on_query = meanwhile
    assert worker.collect("b").state is OrderState.COLLECTED
    assert app.upstream.queries["c"] == 0


def test_stale_view_of_the_breaker_allows_no_second_trial(app):
    app.upstream.scripts["a"] = [error_reply("400501")]
    app.upstream.scripts["b"] = [error_reply("400501")]
    worker, late = app.worker(), app.worker()
    worker.collect("a")
    app.clock.sleep(6)
    late.breaker.open_for()
    worker.collect("b")
    assert late.collect("c").reason == "throttled"
    assert app.upstream.queries["c"] == 0


def test_failed_trial_opens_the_breaker_for_longer(app):
    app.random.draw = lambda: 0.5
    app.upstream.scripts["a"] = [error_reply("400501")]
    app.upstream.scripts["b"] = [error_reply("400501")]
    worker = app.worker()
    worker.collect("a")
    app.clock.sleep(6)
    worker.collect("b")
    pauses = [
        fields["seconds"]
        for name, fields in app.event_log.entries
        if name == "breaker_opened"
    ]
    assert pauses == [3.8, 7.5]


@pytest.mark.parametrize("code", ["66660001", "66660002"])
def test_unknown_or_expired_app_stops_until_resumed(app, code):
    app.upstream.scripts["a"] = [error_reply(code)]
    worker = app.worker()
    assert worker.collect("a").state is OrderState.PARKED
    app.clock.sleep(24 * 3600)
    assert collect_many(worker, 20)[-1].reason == "throttled"
    assert app.log_events().count("app_stopped") == 1
    worker.breaker.resume()
    assert worker.collect("z").state is OrderState.COLLECTED
    assert worker.collect("more1", Urgency.NOW).state is OrderState.COLLECTED


def test_delayed_order_is_due_when_the_breaker_closes(app):
    app.upstream.scripts["a"] = [error_reply("400501")]
    worker = app.worker()
    worker.collect("a")
    record = worker.collect("b")
    pause = app.stores.breakers.get(APP).open_until
    assert record.due_at >= pause
    app.clock.sleep(11)
    bodies = [d.body for d in app.queue.receive(9, visibility_seconds=60)]
    assert any('"b"' in body for body in bodies)
    assert worker.collect("b", Urgency.DUE).state is OrderState.COLLECTED


def test_orders_delayed_by_the_breaker_are_spread_out(app):
    app.upstream.scripts["a"] = [error_reply("400501")]
    worker = app.worker()
    worker.collect("a")
    end = app.stores.breakers.get(APP).open_until
    delays = [record.due_at - end for record in collect_many(worker, 10)]
    assert len(set(delays)) == 10
    assert all(timedelta(0) <= each <= timedelta(seconds=5) for each in delays)


def test_throttled_ticket_call_opens_the_breaker():
    app = InMemoryApp()
    app.upstream.token_reply = error_reply("400504")
    worker = app.worker()
    assert worker.collect("a").reason == "throttled"
    pause = app.stores.breakers.get(APP).open_until - app.clock.now()
    assert pause >= timedelta(seconds=59)

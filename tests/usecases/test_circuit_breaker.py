"""The circuit breaker stops every worker of an app."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from kycourier.core.causes import Cause, LastProblem, Problem
from kycourier.core.circuit_breaker import CallResult, Signal
from kycourier.core.errors import StoreUnavailableError, TransportError
from kycourier.core.orders.record import OrderState
from kycourier.core.orders.state_machine import Urgency
from support.failing_ports import raising
from support.rigs.fake_platform import error_reply, json_reply, result_reply
from support.rigs.in_memory import APP, InMemoryApp, SkewedClock

THROTTLED = error_reply("400501")


@pytest.fixture
def app():
    app = InMemoryApp()
    app.worker().collect("first")
    app.upstream.scripts["a"] = app.upstream.scripts["again"] = [THROTTLED]
    return app


def open_until(app):
    return app.stores.breakers.get(APP).open_until


def assert_delayed(app, worker, order_no, *, stopped_by=None):
    """Assert that the worker makes the order wait without a query, and says why."""
    record = worker.collect(order_no)
    word, reason = ("app_stopped",) * 2 if stopped_by else ("breaker_open", "paused")
    assert (record.state, record.reason) == (OrderState.WAITING, reason)
    assert record.last_problem.problem == Problem(Cause(word), code=stopped_by)
    assert app.upstream.queries[order_no] == 0


@pytest.mark.parametrize("minutes", [0, 10])
def test_throttling_reply_opens_the_breaker_for_all_workers_within_two_seconds(
    app, minutes
):
    """The clock of the other worker may be ahead."""
    off = timedelta(minutes=minutes)
    other = app.worker(clock=SkewedClock(app.clock, off=off))
    other.collect("second")
    app.worker().collect("a")
    app.clock.sleep(2)
    assert_delayed(app, other, "b")


@pytest.mark.parametrize(
    "reply",
    [json_reply(b"", status=500), TransportError("connection_reset")],
    ids=["500", "reset"],
)
def test_breaker_opens_within_twenty_failed_calls_of_all_workers(app, reply):
    workers = [app.worker() for _ in range(8)]
    orders = [f"o{number}" for number in range(100)]
    app.upstream.scripts |= {order_no: [reply] for order_no in orders}
    for number, order_no in enumerate(orders):
        workers[number % 8].collect(order_no)
        app.clock.sleep(0.01)
    assert 10 <= sum(app.upstream.queries[order_no] for order_no in orders) <= 20
    assert {app.load(each).state for each in orders} == {OrderState.WAITING}


def test_successful_trial_call_closes_the_breaker(app, monkeypatch):
    """Its lease is released as soon as possible; otherwise it ends by itself."""
    worker = app.worker()
    worker.collect("a")
    app.clock.sleep(6)
    monkeypatch.setattr(app.stores.leases, "release", raising(StoreUnavailableError))
    assert worker.collect("b").state is OrderState.COLLECTED
    assert worker.collect("c").state is OrderState.COLLECTED
    assert "breaker_closed" in app.log_events()


def test_other_workers_wait_during_a_trial_call(app):
    worker, other = app.worker(), app.worker()
    worker.collect("a")
    app.clock.sleep(6)

    def collect_meanwhile(_):
        app.upstream.on_query = lambda _: None
        assert_delayed(app, other, "c")

    app.upstream.on_query = collect_meanwhile
    assert worker.collect("b").state is OrderState.COLLECTED


def test_stale_view_of_the_breaker_allows_no_second_trial(app):
    worker, late = app.worker(), app.worker()
    worker.collect("a")
    app.clock.sleep(6)
    late.breaker.open_for()
    worker.collect("again")
    assert_delayed(app, late, "c")


def test_failed_trial_opens_the_breaker_for_longer(app):
    app.random.draw = lambda: 0.5
    worker = app.worker()
    worker.collect("a")
    app.clock.sleep(6)
    worker.collect("again")
    openings = [
        (fields["seconds"], fields["cause"], fields["code"])
        for name, fields in app.event_log.entries
        if name == "breaker_opened"
    ]
    assert openings == [(3.8, "code_throttled", "400501"), (7.5, *openings[0][1:])]


@pytest.mark.parametrize("code", ["66660001", "66660002"])
def test_unknown_or_expired_app_stops_until_resumed(app, code):
    app.upstream.scripts["a"] = [error_reply(code)]
    worker = app.worker()
    assert worker.collect("a").state is OrderState.PARKED
    app.clock.sleep(24 * 3600)
    for number in range(20):
        assert_delayed(app, worker, f"more{number}", stopped_by=code)
    assert app.log_events().count("app_stopped") == 1
    worker.breaker.resume()
    assert worker.collect("more1", Urgency.NOW).state is OrderState.COLLECTED


def test_delayed_orders_are_due_spread_out_once_the_breaker_closes(app):
    worker = app.worker()
    worker.collect("a")
    records = [worker.collect(f"more{number}") for number in range(10)]
    delays = {record.due_at - open_until(app) for record in records}
    assert len(delays) == 10
    assert all(timedelta(0) <= each <= timedelta(seconds=5) for each in delays)
    app.clock.sleep(11)
    bodies = [each.body for each in app.queue.receive(20, visibility_seconds=60)]
    assert any('"more1"' in body for body in bodies)
    assert worker.collect("more1", Urgency.DUE).state is OrderState.COLLECTED


def test_throttled_ticket_call_opens_the_breaker():
    app = InMemoryApp()
    app.upstream.token_reply = error_reply("400504")
    record = app.worker().collect("a")
    refused = Problem(Cause.REFRESH_REFUSED, code="400504")
    assert (record.reason, record.last_problem.problem) == ("throttled", refused)
    assert open_until(app) - app.clock.now() >= timedelta(seconds=59)


def test_unknown_app_in_a_ticket_call_stops_the_app():
    app = InMemoryApp()
    app.upstream.token_reply = error_reply("66660001")
    for order_no in ("a", "b"):
        assert_delayed(app, app.worker(), order_no, stopped_by="66660001")
    assert app.upstream.tokens == 1


def test_pause_does_not_replace_why_an_order_fails(app):
    app.upstream.scripts["b"] = [TransportError("timed_out")]
    worker = app.worker()
    worker.collect("b")
    worker.collect("a")
    app.clock.sleep(1)
    record = worker.collect("b", Urgency.NOW)
    assert (record.reason, record.last_problem.cause) == ("paused", Cause.TIMED_OUT)
    assert record.failing_seconds == 1


def test_deferred_order_that_another_worker_changed_is_returned_as_stored(
    app, monkeypatch
):
    worker = app.worker()
    worker.collect("a")
    commit = app.stores.orders.commit

    def commit_second(record, *, expected):
        monkeypatch.undo()
        commit(replace(expected, version=2, reason="elsewhere"), expected=expected)
        commit(record, expected=expected)

    monkeypatch.setattr(app.stores.orders, "commit", commit_second)
    record = worker.collect("b")
    assert record == app.load("b")
    assert (record.version, record.reason) == (2, "elsewhere")
    waiting = [
        fields["order_no"]
        for name, fields in app.event_log.entries
        if name == "order_waiting"
    ]
    assert waiting == ["a"]


def test_write_that_meets_a_newer_version_is_repeated(app, monkeypatch):
    failed = CallResult(Signal.FAILURE, Problem(Cause.TIMED_OUT))
    write = app.stores.breakers.open

    def write_second(*args, **options):
        monkeypatch.undo()
        app.worker().breaker.record(failed)
        write(*args, **options)

    monkeypatch.setattr(app.stores.breakers, "open", write_second)
    app.worker().breaker.record(failed)
    stored = app.stores.breakers.get(APP)
    assert (stored.failures, stored.version) == (2, 2)


def test_last_refresh_failure_is_kept_until_a_refresh_succeeds(app):
    app.clock.sleep(20 * 60)
    app.upstream.token_reply = error_reply("400103")
    for count in (1, 2):
        assert app.worker().collect(f"order{count}").state is OrderState.COLLECTED
        expected = LastProblem(
            cause=Cause.REFRESH_REFUSED, at=app.clock.now(), count=count, code="400103"
        )
        assert app.worker().breaker.refresh_problem() == expected
        app.clock.sleep(60)
    app.upstream.token_reply = None
    app.worker().collect("order3")
    assert app.worker().breaker.refresh_problem() is None


def test_open_breaker_stops_photo_retries(app):
    app.upstream.scripts["b"] = [result_reply("b", originBankcardPhoto="")]
    throttled = CallResult(Signal.THROTTLED, min_open=timedelta(minutes=1))
    app.upstream.on_query = lambda _: app.worker().breaker.record(throttled)
    assert app.worker().collect("b").reason == "photos_pending"
    assert app.upstream.queries["b"] <= 2

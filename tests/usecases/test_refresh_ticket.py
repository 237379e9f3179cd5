"""Refreshing the ticket pair: one worker at a time, by its lease."""

from contextlib import suppress
from datetime import timedelta

import pytest
from msgspec.structs import replace

from kycourier.core.causes import Cause, Problem
from kycourier.core.circuit_breaker import (
    BreakerRecord,
    CallResult,
    Signal,
    after_call,
)
from kycourier.core.errors import (
    StaleOwnerError,
    StoreUnavailableError,
    TicketUnavailableError,
    TransportError,
)
from kycourier.usecases.refresh_ticket import RefreshReason
from support.failing_ports import FailingPort, raising
from support.leaks.canaries import APP_SECRET, TICKET, TOKEN
from support.rigs.fake_platform import error_reply, json_reply
from support.rigs.in_memory import APP, InMemoryWorker, MutableSecret, SkewedClock

MINUTE = 60.0


def refresh(app, worker=None):
    """Refresh as the timer does."""
    refresher = (worker or app.worker()).refresher
    return refresher.refresh(None, app.time(), why=RefreshReason.SCHEDULED)


def refresh_when_needed(app, worker, seconds):
    return worker.refresher.refresh(None, app.time(seconds), why=RefreshReason.NEEDED)


def stored(app):
    return app.stores.tickets.get(APP)


def after_call_of(app, path, action):
    """Run an action once, after the platform's reply to a call of this path."""
    respond = app.upstream.respond

    def respond_then_act(request):
        reply = respond(request)
        if request.path.endswith(path):
            app.upstream.respond = respond
            action()
        return reply

    app.upstream.respond = respond_then_act


class SlowSecret(MutableSecret):
    """A secret whose store takes some seconds to respond."""

    def __init__(self, clock, *, seconds):
        super().__init__(APP_SECRET)
        self._clock, self._seconds = clock, seconds

    def get(self):
        self._clock.sleep(self._seconds)
        return super().get()


class TestPair:
    def test_token_and_ticket_are_obtained_as_one_generation(self, app):
        pair = refresh(app)
        assert (pair.generation, pair.ticket.expose()) == (1, f"{TICKET}1")
        assert pair.token.expose() == f"{TOKEN}1"
        assert pair.expires_in == timedelta(hours=1)
        assert stored(app) == pair

    def test_pair_is_replaced_once_it_is_stale(self, app):
        first = refresh(app)
        app.clock.sleep(19 * MINUTE - 1)
        assert refresh(app) == first
        assert app.upstream.tokens == 1
        app.clock.sleep(1)
        second = refresh(app)
        assert second.generation == 2
        assert second.token.expose() == f"{TOKEN}2"
        assert second.ticket.expose() == f"{TICKET}2"

    @pytest.mark.parametrize("minutes", [-30, 30])
    def test_pair_is_dated_by_the_stores_clock(self, app, minutes):
        off = timedelta(minutes=minutes)
        worker = app.worker(clock=SkewedClock(app.clock, off=off))
        assert refresh(app, worker).obtained_at == app.clock.now()

    def test_secret_is_read_for_each_token(self, app):
        secret, sent, respond = MutableSecret(APP_SECRET), [], app.upstream.respond

        def record(request):
            sent.append(dict(request.query.expose()).get("secret"))
            return respond(request)

        app.upstream.respond = record
        worker = InMemoryWorker(app, secret=secret)
        refresh(app, worker)
        secret.value = "t" * 64
        app.clock.sleep(19 * MINUTE)
        refresh(app, worker)
        assert [value for value in sent if value] == [APP_SECRET, "t" * 64]


class TestLease:
    def test_crashed_refresh_is_taken_over_when_its_lease_ends(self, app, monkeypatch):
        app.upstream.ticket_reply = TransportError("timed_out")
        with monkeypatch.context() as crashed:
            crashed.setattr(app.stores.leases, "release", lambda *_, **__: None)
            with pytest.raises(TicketUnavailableError):
                refresh(app)
        app.upstream.ticket_reply = None
        assert refresh(app) is None
        app.clock.sleep(15)
        assert refresh(app).generation == 1

    def test_slow_secret_prevents_a_token_call_without_a_lease(self, app):
        slow = InMemoryWorker(app, secret=SlowSecret(app.clock, seconds=12.1))
        assert refresh(app, slow) is None
        assert not app.upstream.tokens
        app.clock.sleep(5)
        assert refresh(app).generation == 1

    @pytest.mark.parametrize(
        ("path", "tickets"), [("access_token", 1), ("api_ticket", 2)]
    )
    def test_holder_past_its_lease_calls_and_saves_nothing(self, app, path, tickets):
        def replace_holder():
            app.clock.sleep(15)
            refresh(app)

        after_call_of(app, path, replace_holder)
        assert refresh(app) is None
        assert app.upstream.tickets == tickets
        assert stored(app).ticket.expose() == f"{TICKET}2"
        assert "ticket_save_refused" in app.log_events()

    def test_call_that_may_outlast_the_lease_is_not_made(self, app):
        after_call_of(app, "access_token", lambda: app.clock.sleep(11.5))
        assert refresh(app) is None
        assert app.upstream.tickets == 0

    def test_unreleasable_lease_loses_no_pair(self, app, monkeypatch):
        monkeypatch.setattr(
            app.stores.leases, "release", raising(StoreUnavailableError)
        )
        assert refresh(app).generation == 1


class TestTime:
    def test_too_little_time_prevents_a_token_call(self, app):
        with pytest.raises(TicketUnavailableError):
            refresh_when_needed(app, app.worker(), seconds=4.4)
        assert not app.upstream.tokens

    def test_token_call_leaves_time_for_the_ticket_call(self, app, monkeypatch):
        worker, timeouts = app.worker(), []
        transport = worker.refresher._transport
        send = transport.send

        def record(request, *, timeout_seconds):
            timeouts.append(timeout_seconds)
            return send(request, timeout_seconds=timeout_seconds)

        monkeypatch.setattr(transport, "send", record)
        refresh_when_needed(app, worker, seconds=5)
        assert timeouts == [2, 4]


class TestFailure:
    @pytest.mark.parametrize(
        ("reply", "problem"),
        [
            (error_reply("400504"), Problem(Cause.REFRESH_REFUSED, code="400504")),
            (error_reply("66660002"), Problem(Cause.APP_STOPPED, code="66660002")),
            (
                json_reply({"code": "0", "access_token": "T", "expire_in": "0"}),
                Problem(Cause.REPLY_MALFORMED, detail="lifetime"),
            ),
            (
                json_reply(b"busy", status=503),
                Problem(Cause.HTTP_STATUS, http_status=503),
            ),
            (TransportError("connect_failed"), Problem(Cause.CONNECT_FAILED)),
        ],
        ids=["too_frequent", "expired app", "no lifetime", "503", "connect"],
    )
    def test_failed_refresh_keeps_the_pair_and_names_its_cause(
        self, app, reply, problem
    ):
        first = refresh(app)
        app.clock.sleep(20 * MINUTE)
        app.upstream.token_reply = reply
        with pytest.raises(TicketUnavailableError) as caught:
            refresh(app)
        assert stored(app) == first
        assert caught.value.problem == problem
        assert ("ticket_refresh_failed", problem.fields()) in app.event_log.entries
        assert app.stores.breakers.get(APP).refresh_problem.problem == problem

    def test_unreadable_secret_leaves_the_breaker_unchanged(self, app):
        worker = InMemoryWorker(app, secret=FailingPort(StoreUnavailableError))
        throttled = CallResult(Signal.THROTTLED)
        breaker = after_call(BreakerRecord(), throttled, now=app.clock.now(), draw=0.5)
        app.stores.breakers.open(APP, breaker, expected_version=0)
        app.clock.sleep(10)
        with pytest.raises(TicketUnavailableError, match="secret_unreadable"):
            refresh(app, worker)
        assert not app.upstream.tokens
        after = app.stores.breakers.get(APP)
        assert after.refresh_problem.cause is Cause.SECRET_UNREADABLE
        assert replace(after, refresh_problem=None, version=1) == breaker

    def test_unsaved_pair_is_not_obtained_again_at_once(self, app, monkeypatch):
        """Each new pair starts the last minute of the pair before it."""
        refresh(app)
        app.clock.sleep(20 * MINUTE)
        saves = []

        def refuse(*_, **__):
            saves.append(1)
            raise StoreUnavailableError

        monkeypatch.setattr(app.stores.tickets, "put", refuse)
        app.random.draw = lambda: 0.9
        for _ in range(10):
            assert app.worker().tickets.current(app.time()).generation == 1
        assert app.upstream.tokens == 2
        assert len(saves) == 2
        assert "ticket_refresh_failed" in app.log_events()

    def test_save_is_retried_once(self, app, monkeypatch):
        def fail_once(*_, **__):
            monkeypatch.undo()
            raise StoreUnavailableError

        monkeypatch.setattr(app.stores.tickets, "put", fail_once)
        assert refresh(app) == stored(app)
        assert app.upstream.tokens == 1

    def test_pair_that_another_worker_saved_first_is_no_error(self, app, monkeypatch):
        monkeypatch.setattr(app.stores.tickets, "put", raising(StaleOwnerError))
        assert refresh(app) is None

    def test_workers_with_a_wrong_secret_share_a_back_off(self, app):
        app.upstream.token_reply = error_reply("400103")
        workers = [app.worker() for _ in range(50)]
        for attempt in range(600):
            with suppress(TicketUnavailableError):
                workers[attempt % 50].tickets.current(app.time())
            app.clock.sleep(0.1)
        assert 3 <= app.upstream.tokens <= 30

    def test_stopped_app_makes_no_token_call(self, app):
        worker = app.worker()
        stopped = Problem(Cause.APP_STOPPED, code="66660001")
        worker.breaker.record(CallResult(Signal.STOPPED, stopped))
        with pytest.raises(TicketUnavailableError) as caught:
            refresh(app, worker)
        assert caught.value.problem == stopped
        assert not app.upstream.tokens

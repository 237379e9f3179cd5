"""Refreshing, caching and renewing the ticket pair that all workers share."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from kycourier.core.circuit_breaker import BreakerRecord, Signal, after_call
from kycourier.core.errors import (
    StaleOwnerError,
    StoreUnavailableError,
    TicketUnavailableError,
    TransportError,
)
from kycourier.core.leases import refresh_lease
from kycourier.usecases.provide_ticket import KeptTickets, OwnedTickets
from kycourier.usecases.refresh_ticket import RefreshReason
from support.leaks.canaries import APP_SECRET, TICKET, TOKEN
from support.rigs.fake_platform import error_reply, json_reply
from support.rigs.in_memory import APP, InMemoryApp, MutableSecret, SkewedClock

MINUTE = 60.0
WRONG = [timedelta(minutes=-30), timedelta(minutes=30)]


@pytest.fixture
def app():
    return InMemoryApp()


def scheduled(app, worker=None):
    worker = worker or app.worker()
    return worker.refresher.refresh(None, app.time(), why=RefreshReason.SCHEDULED)


class NeverReleasing:
    """The leases of a killed worker: it never releases them."""

    def __init__(self, leases):
        self.acquire = leases.acquire

    def release(self, name, *, lease):
        pass


class TestRefresh:
    def test_token_and_ticket_are_obtained_as_one_generation(self, app):
        pair = scheduled(app)
        assert (pair.generation, pair.ticket.expose()) == (1, f"{TICKET}1")
        assert pair.token.expose() == f"{TOKEN}1"
        assert pair.expires_in == timedelta(hours=1)
        assert app.stores.tickets.get(APP) == pair

    def test_fresh_pair_is_returned_without_a_call(self, app):
        first = scheduled(app)
        app.clock.sleep(19 * MINUTE - 1)
        assert scheduled(app) == first
        assert app.upstream.tokens == 1

    def test_stale_pair_is_replaced(self, app):
        scheduled(app)
        app.clock.sleep(19 * MINUTE)
        pair = scheduled(app)
        assert pair.generation == 2
        assert (pair.token.expose(), pair.ticket.expose()) == (
            f"{TOKEN}2",
            f"{TICKET}2",
        )

    def test_lease_of_another_worker_prevents_a_refresh(self, app):
        name = refresh_lease(APP)
        app.stores.leases.acquire(name, owner="other", seconds=15)
        assert scheduled(app) is None
        assert not app.upstream.tokens

    def test_crashed_refresh_is_taken_over_when_its_lease_ends(self, app):
        app.upstream.ticket_reply = TransportError("timeout")
        crashed = app.worker()
        crashed.refresher._leases = NeverReleasing(app.stores.leases)
        with pytest.raises(TicketUnavailableError):
            scheduled(app, crashed)
        app.upstream.ticket_reply = None
        assert scheduled(app) is None
        app.clock.sleep(15)
        assert scheduled(app).generation == 1

    def test_slow_secret_prevents_a_token_call_without_a_lease(self, app):
        slow, quick = app.worker(), app.worker()
        slow.refresher._secret = SecretAfter(app.clock, seconds=12.1)
        paths = []

        def count(request, respond=app.upstream.respond):
            paths.append(request.path)
            return respond(request)

        app.upstream.respond = count
        assert scheduled(app, slow) is None
        assert paths == []
        app.clock.sleep(5)
        assert scheduled(app, quick).generation == 1

    def test_unreadable_secret_leaves_the_breaker_unchanged(self, app):
        worker = app.worker()
        worker.refresher._secret = type("Gone", (), {"get": unreadable})()
        breaker = after_call(
            BreakerRecord(),
            Signal.THROTTLED,
            now=app.clock.now(),
            min_open=timedelta(0),
            draw=0.5,
        )
        app.stores.breakers.open(APP, breaker, expected_version=0)
        app.clock.sleep(10)
        with pytest.raises(TicketUnavailableError, match="secret_unavailable"):
            scheduled(app, worker)
        assert not app.upstream.tokens
        assert app.stores.breakers.get(APP) == breaker

    def test_holder_past_its_lease_calls_and_saves_nothing(self, app):
        slow, quick = app.worker(), app.worker()

        def sleep_on(request):
            app.upstream.respond = respond
            reply = respond(request)
            app.clock.sleep(15)
            scheduled(app, quick)
            return reply

        respond, app.upstream.respond = app.upstream.respond, sleep_on
        assert scheduled(app, slow) is None
        assert app.upstream.tickets == 1
        assert app.stores.tickets.get(APP).ticket.expose() == f"{TICKET}2"
        assert "ticket_save_refused" in app.log_events()

    def test_holder_overtaken_in_its_last_call_cannot_save(self, app):
        slow, quick = app.worker(), app.worker()

        def overtaken(request):
            reply = respond(request)
            if request.path.endswith("api_ticket"):
                app.upstream.respond = respond
                app.clock.sleep(15)
                scheduled(app, quick)
            return reply

        respond, app.upstream.respond = app.upstream.respond, overtaken
        assert scheduled(app, slow) is None
        assert app.stores.tickets.get(APP).ticket.expose() == f"{TICKET}2"

    def test_call_that_may_outlast_the_lease_is_not_made(self, app):
        def late(request):
            reply = respond(request)
            app.clock.sleep(11.5)
            return reply

        respond, app.upstream.respond = app.upstream.respond, late
        assert scheduled(app) is None
        assert app.upstream.tickets == 0

    @pytest.mark.parametrize(
        "reply",
        [
            error_reply("400504"),
            json_reply(b"<html>"),
            json_reply({"code": "0", "access_token": "T", "expire_in": "0"}),
            TransportError("connect"),
        ],
        ids=["too_frequent", "html", "no life", "connect"],
    )
    def test_failed_refresh_keeps_the_pair_and_is_logged(self, app, reply):
        first = scheduled(app)
        app.clock.sleep(20 * MINUTE)
        app.upstream.token_reply = reply
        with pytest.raises(TicketUnavailableError):
            scheduled(app)
        assert app.stores.tickets.get(APP) == first
        assert "ticket_refresh_failed" in app.log_events()

    def test_too_little_time_prevents_a_token_call(self, app):
        with pytest.raises(TicketUnavailableError):
            app.worker().refresher.refresh(
                None, app.time(4.4), why=RefreshReason.NEEDED
            )
        assert not app.upstream.tokens

    @pytest.mark.parametrize("off", WRONG, ids=str)
    def test_pair_is_dated_by_the_stores_clock(self, app, off):
        worker = app.worker(clock=SkewedClock(app.clock, off=off))
        assert scheduled(app, worker).obtained_at == app.clock.now()

    def test_secret_is_read_for_each_token(self, app):
        worker, sent = app.worker(), []

        def record(request):
            sent.append(dict(request.query.expose()).get("secret"))
            return respond(request)

        respond, app.upstream.respond = app.upstream.respond, record
        scheduled(app, worker)
        worker.refresher._secret.value = "t" * 64
        app.clock.sleep(19 * MINUTE)
        scheduled(app, worker)
        assert [secret for secret in sent if secret] == [APP_SECRET, "t" * 64]

    def test_unsaved_pair_is_not_obtained_again_at_once(self, app, monkeypatch):
        """Each new pair starts the last minute of the pair before it."""
        scheduled(app)
        app.clock.sleep(20 * MINUTE)
        saves = []

        def down(*_, **__):
            saves.append(1)
            raise StoreUnavailableError

        monkeypatch.setattr(app.stores.tickets, "put", down)
        app.random.draw = lambda: 0.9
        for _ in range(10):
            assert app.worker().tickets.current(app.time()).generation == 1
        assert app.upstream.tokens == 2
        assert len(saves) == 2
        assert "ticket_refresh_failed" in app.log_events()

    def test_save_is_retried_once(self, app, monkeypatch):
        save = app.stores.tickets.put

        def fail_once(*_, **__):
            monkeypatch.setattr(app.stores.tickets, "put", save)
            raise StoreUnavailableError

        monkeypatch.setattr(app.stores.tickets, "put", fail_once)
        assert app.stores.tickets.get(APP) is None
        assert scheduled(app) == app.stores.tickets.get(APP)
        assert app.upstream.tokens == 1

    def test_unreleasable_lease_loses_no_pair(self, app, monkeypatch):
        def down(*_, **__):
            raise StoreUnavailableError

        monkeypatch.setattr(app.stores.leases, "release", down)
        assert scheduled(app).generation == 1

    def test_token_call_leaves_time_for_the_ticket_call(self, app):
        timeouts = []
        worker = app.worker()
        send = worker.refresher._transport.send

        def watched(request, *, timeout_seconds):
            timeouts.append(timeout_seconds)
            return send(request, timeout_seconds=timeout_seconds)

        worker.refresher._transport.send = watched
        worker.refresher.refresh(None, app.time(5), why=RefreshReason.NEEDED)
        assert timeouts == [2, 4]

    def test_workers_with_a_wrong_secret_share_a_back_off(self, app):
        app.upstream.token_reply = error_reply("400103")
        workers = [app.worker() for _ in range(50)]
        for second in range(600):
            with suppress(TicketUnavailableError):
                workers[second % 50].tickets.current(app.time())
            app.clock.sleep(0.1)
        assert 3 <= app.upstream.tokens <= 30

    def test_stopped_app_makes_no_token_call(self, app):
        worker = app.worker()
        worker.breaker.record(Signal.STOPPED, min_open=timedelta(0))
        with pytest.raises(TicketUnavailableError):
            scheduled(app, worker)
        assert not app.upstream.tokens


def unreadable(_):
    raise StoreUnavailableError


class TestUse:
    def test_other_threads_use_the_stale_pair_during_a_refresh(self, app, monkeypatch):
        """They do not try to acquire the lease either."""
        worker = app.worker()
        worker.tickets.current(app.time())
        app.clock.sleep(20 * MINUTE)
        inside, asked = [], []

        def acquire(name, **lease):
            asked.append(name)
            return real(name, **lease)

        def meanwhile(request):
            if not inside:
                before = len(asked)
                inside.append(in_a_thread(lambda: worker.tickets.current(app.time())))
                assert len(asked) == before
            return respond(request)

        real = app.stores.leases.acquire
        monkeypatch.setattr(app.stores.leases, "acquire", acquire)
        respond, app.upstream.respond = app.upstream.respond, meanwhile
        assert worker.tickets.current(app.time()).generation == 2
        assert [ticket.generation for ticket in inside] == [1]
        assert refresh_lease(APP) in asked

    def test_frozen_worker_discards_its_cached_pair(self, app):
        """Its monotonic clock stood still while its wall clock went on."""
        worker = app.worker()
        worker.tickets.current(app.time())
        app.clock.set(app.clock.now() + timedelta(minutes=20))
        scheduled(app)
        assert worker.tickets.current(app.time()).generation == 2

    def test_worker_with_a_late_clock_recognizes_an_expired_pair(self, app):
        scheduled(app)
        app.clock.sleep(60 * MINUTE)
        app.upstream.token_reply = json_reply(b"", status=503)
        slow = app.worker(clock=SkewedClock(app.clock, off=WRONG[0]))
        with pytest.raises(TicketUnavailableError):
            slow.tickets.current(app.time())

    def test_older_pair_never_replaces_a_newer_one(self, app, monkeypatch):
        worker = app.worker()
        worker.tickets.current(app.time())
        old = app.stores.tickets.get(APP)
        app.clock.sleep(20 * MINUTE)
        new = worker.tickets.current(app.time())
        monkeypatch.setattr(app.stores.tickets, "get", lambda _: old)
        app.clock.sleep(15)
        assert worker.tickets.current(app.time()) == new

    def test_cached_copy_of_a_lost_pair_is_replaced(self, app):
        worker = app.worker()
        worker.tickets.current(app.time())
        app.clock.sleep(20 * MINUTE)
        assert worker.tickets.current(app.time()).generation == 2
        app.stores.tickets.records.clear()
        app.stores.tickets._generations.clear()
        app.clock.sleep(15)
        ticket = worker.tickets.current(app.time())
        assert ticket.value == app.stores.tickets.get(APP).ticket
        assert ticket.value.expose() == f"{TICKET}3"

    def test_missing_pair_is_obtained(self, app):
        ticket = app.worker().tickets.current(app.time())
        assert (ticket.value.expose(), ticket.generation) == (f"{TICKET}1", 1)

    def test_two_hundred_cold_starts_make_one_token_call(self, app):
        for _ in range(200):
            app.worker().tickets.current(app.time())
        assert (app.upstream.tokens, app.upstream.tickets) == (1, 1)

    def test_cached_pair_is_used_for_fifteen_seconds(self, app):
        worker = app.worker()
        worker.tickets.current(app.time())
        app.clock.sleep(19 * MINUTE)
        scheduled(app)
        assert worker.tickets.current(app.time()).generation == 2

        app.clock.sleep(19 * MINUTE)
        worker.tickets.current(app.time())
        app.upstream.kill_pair()
        other = app.worker()
        other.tickets.renew(other.tickets.current(app.time()), app.time())
        assert worker.tickets.current(app.time()).generation == 3
        app.clock.sleep(15)
        assert worker.tickets.current(app.time()).generation == 4

    def test_stale_pair_is_used_while_another_worker_refreshes(self, app):
        worker = app.worker()
        worker.tickets.current(app.time())
        app.clock.sleep(20 * MINUTE)
        app.stores.leases.acquire(refresh_lease(APP), owner="other", seconds=15)
        assert worker.tickets.current(app.time()).generation == 1

    def test_stale_pair_is_used_during_back_off(self, app):
        worker = app.worker()
        worker.tickets.current(app.time())
        app.clock.sleep(20 * MINUTE)
        app.upstream.token_reply = json_reply(b"", status=503)
        app.random.draw = lambda: 0.99
        for _ in range(5):
            assert worker.tickets.current(app.time()).generation == 1
        assert app.upstream.tokens == 2

    def test_expired_pair_is_never_returned(self, app):
        worker = app.worker()
        worker.tickets.current(app.time())
        app.clock.sleep(59 * MINUTE)
        app.upstream.token_reply = json_reply(b"", status=503)
        with pytest.raises(TicketUnavailableError):
            worker.tickets.current(app.time())

    def test_caller_waits_at_most_five_seconds_for_another_refresh(self, app):
        app.stores.leases.acquire(refresh_lease(APP), owner="other", seconds=15)
        begun = app.clock.monotonic()
        with pytest.raises(TicketUnavailableError):
            app.worker().tickets.current(app.time())
        assert 5 <= app.clock.monotonic() - begun < 5.5

    def test_unavailable_store_allows_the_cached_pair_and_no_token_call(
        self, app, monkeypatch
    ):
        worker = app.worker()
        worker.tickets.current(app.time())

        def down(*_, **__):
            raise StoreUnavailableError

        for store, verb in [
            (app.stores.tickets, "get"),
            (app.stores.leases, "acquire"),
        ]:
            monkeypatch.setattr(store, verb, down)
        app.clock.sleep(30 * MINUTE)
        assert worker.tickets.current(app.time()).generation == 1
        with pytest.raises(StoreUnavailableError):
            app.worker().tickets.current(app.time())
        app.clock.sleep(30 * MINUTE)
        with pytest.raises(StoreUnavailableError):
            worker.tickets.current(app.time())
        assert app.upstream.tokens == 1

    @pytest.mark.parametrize("set_by_minutes", [-30, 30])
    def test_clock_change_never_rejuvenates_a_pair(
        self, app, monkeypatch, set_by_minutes
    ):
        worker = app.worker()
        worker.tickets.current(app.time())

        def down(*_, **__):
            raise StoreUnavailableError

        monkeypatch.setattr(app.stores.tickets, "get", down)
        monkeypatch.setattr(app.stores.leases, "acquire", down)
        app.clock.sleep(29 * MINUTE)
        app.clock.set(app.clock.now() + timedelta(minutes=set_by_minutes))
        if set_by_minutes < 0:
            assert worker.tickets.current(app.time()).generation == 1
            app.clock.sleep(30 * MINUTE)
        with pytest.raises(StoreUnavailableError):
            worker.tickets.current(app.time())

    def test_reader_without_the_secret_never_refreshes(self, app):
        worker = app.worker()
        reader = OwnedTickets(APP, refresher=None, stores=app.stores, deps=worker.deps)
        with pytest.raises(TicketUnavailableError):
            reader.current(app.time())
        scheduled(app)
        assert reader.current(app.time()).generation == 1
        assert app.upstream.tokens == 1


class TestRenewal:
    def test_renew_returns_a_newer_pair_without_a_call(self, app):
        worker = app.worker()
        old = worker.tickets.current(app.time())
        app.clock.sleep(19 * MINUTE)
        scheduled(app)
        assert worker.tickets.renew(old, app.time()).generation == 2
        assert app.upstream.tokens == 2

    def test_many_workers_force_one_refresh(self, app):
        workers = [app.worker() for _ in range(8)]
        old = [worker.tickets.current(app.time()) for worker in workers]
        app.upstream.kill_pair()
        new = {
            worker.tickets.renew(ticket, app.time()).generation
            for worker, ticket in zip(workers, old, strict=True)
        }
        assert new == {2}
        assert app.upstream.tokens == 2
        assert app.log_events().count("ticket_renewal_forced") == 1

    def test_forced_refresh_is_limited_to_one_a_minute(self, app):
        worker = app.worker()
        ticket = worker.tickets.current(app.time())
        ticket = worker.tickets.renew(ticket, app.time())
        app.clock.sleep(59)
        with pytest.raises(TicketUnavailableError):
            worker.tickets.renew(ticket, app.time())
        app.clock.sleep(1)
        assert worker.tickets.renew(ticket, app.time()).generation == 3

    def test_failed_forced_refresh_counts_against_the_limit(self, app):
        worker = app.worker()
        ticket = worker.tickets.current(app.time())
        app.upstream.token_reply = error_reply("400103")
        for _ in range(5):
            with pytest.raises(TicketUnavailableError):
                app.worker().tickets.renew(ticket, app.time())
        assert app.upstream.tokens == 2


def in_a_thread(work):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


class TestForeign:
    def tickets(self, app, value="kept1"):
        source = MutableSecret(value)
        return KeptTickets(source, clock=app.clock), source

    def test_foreign_ticket_is_read_again_after_fifteen_seconds(self, app):
        tickets, source = self.tickets(app)
        assert tickets.current(app.time()).value.expose() == "kept1"
        source.value = "kept2"
        app.clock.sleep(14)
        assert tickets.current(app.time()).value.expose() == "kept1"
        app.clock.sleep(1)
        assert tickets.current(app.time()).value.expose() == "kept2"

    def test_last_ticket_is_used_while_the_source_fails(self, app):
        tickets, source = self.tickets(app)
        tickets.current(app.time())
        source.value = ""
        app.clock.sleep(60)
        assert tickets.current(app.time()).value.expose() == "kept1"

    def test_renew_reads_the_source_again(self, app):
        tickets, source = self.tickets(app)
        old = tickets.current(app.time())
        source.value = '{"ticket":"kept2","more":1}'
        new = tickets.renew(old, app.time())
        assert (new.value.expose(), new.generation) == ("kept2", 2)

    def test_renew_fails_when_the_source_is_unchanged(self, app):
        tickets, _ = self.tickets(app)
        with pytest.raises(TicketUnavailableError):
            tickets.renew(tickets.current(app.time()), app.time())


def test_stale_owner_is_never_raised_to_callers(app):
    """It means that another worker saved first."""
    worker = app.worker()

    def refuse(*_, **__):
        raise StaleOwnerError

    worker.refresher._tickets = type(
        "Refusing", (), {"get": lambda *_: None, "put": refuse}
    )()
    assert scheduled(app, worker) is None


class SecretAfter(MutableSecret):
    """A secret whose store takes `seconds` to respond."""

    def __init__(self, clock, *, seconds):
        super().__init__("s" * 64)
        self._clock, self._seconds = clock, seconds

    def get(self):
        self._clock.sleep(self._seconds)
        return super().get()

"""Using, caching and renewing the ticket pair that all workers share."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from kycourier.core.causes import Cause, Problem
from kycourier.core.errors import StoreUnavailableError, TicketUnavailableError
from kycourier.core.leases import refresh_lease
from kycourier.usecases.provide_ticket import KeptTickets, OwnedTickets
from kycourier.usecases.refresh_ticket import RefreshReason
from support.failing_ports import FailingPort, raising
from support.leaks.canaries import TICKET
from support.rigs.fake_platform import error_reply, json_reply
from support.rigs.in_memory import APP, MutableSecret, SkewedClock

MINUTE = 60.0
UNAVAILABLE = json_reply(b"", status=503)


@pytest.fixture
def worker(app):
    """Return a worker that has cached the first pair."""
    worker = app.worker()
    assert use(worker) == 1
    return worker


def use(worker):
    """Return the generation of the pair that the worker uses."""
    return worker.tickets.current(worker.app.time()).generation


def renew(worker, ticket):
    return worker.tickets.renew(ticket, worker.app.time())


def refresh_elsewhere(app):
    """Refresh the pair by the timer of another worker."""
    refresher = app.worker().refresher
    return refresher.refresh(None, app.time(), why=RefreshReason.SCHEDULED)


@pytest.fixture
def break_stores(app, monkeypatch):
    """Return a function that makes the ticket and lease stores unavailable."""

    def break_them():
        down = raising(StoreUnavailableError)
        monkeypatch.setattr(app.stores.tickets, "get", down)
        monkeypatch.setattr(app.stores.leases, "acquire", down)

    return break_them


class TestUse:
    def test_two_hundred_cold_starts_make_one_token_call(self, app):
        for _ in range(200):
            ticket = app.worker().tickets.current(app.time())
            assert (ticket.value.expose(), ticket.generation) == (f"{TICKET}1", 1)
        assert (app.upstream.tokens, app.upstream.tickets) == (1, 1)

    def test_other_threads_use_the_stale_pair_during_a_refresh(
        self, app, worker, monkeypatch
    ):
        """They do not try to acquire the lease either."""
        app.clock.sleep(20 * MINUTE)
        used, acquired = [], []
        acquire, respond = app.stores.leases.acquire, app.upstream.respond

        def record(name, **lease):
            acquired.append(name)
            return acquire(name, **lease)

        def use_meanwhile(request):
            if not used:
                before = len(acquired)
                with ThreadPoolExecutor(1) as pool:
                    used.append(pool.submit(use, worker).result())
                assert len(acquired) == before
            return respond(request)

        monkeypatch.setattr(app.stores.leases, "acquire", record)
        app.upstream.respond = use_meanwhile
        assert use(worker) == 2
        assert used == [1]
        assert refresh_lease(APP) in acquired

    def test_cached_pair_is_used_for_fifteen_seconds(self, app, worker):
        app.clock.sleep(18 * MINUTE)
        assert use(worker) == 1
        app.upstream.kill_pair()
        other = app.worker()
        renew(other, other.tickets.current(app.time()))
        app.clock.sleep(14)
        assert use(worker) == 1
        app.clock.sleep(1)
        assert use(worker) == 2

    def test_frozen_worker_discards_its_cached_pair(self, app, worker):
        """Its monotonic clock stood still while its wall clock went on."""
        app.clock.set(app.clock.now() + timedelta(minutes=20))
        refresh_elsewhere(app)
        assert use(worker) == 2

    def test_worker_with_a_late_clock_recognizes_an_expired_pair(self, app):
        refresh_elsewhere(app)
        app.clock.sleep(60 * MINUTE)
        app.upstream.token_reply = UNAVAILABLE
        slow = app.worker(clock=SkewedClock(app.clock, off=timedelta(minutes=-30)))
        with pytest.raises(TicketUnavailableError):
            use(slow)

    def test_older_pair_never_replaces_a_newer_one(self, app, worker, monkeypatch):
        old = app.stores.tickets.get(APP)
        app.clock.sleep(20 * MINUTE)
        assert use(worker) == 2
        monkeypatch.setattr(app.stores.tickets, "get", lambda _: old)
        app.clock.sleep(15)
        assert use(worker) == 2

    def test_cached_copy_of_a_lost_pair_is_replaced(self, app, worker):
        app.clock.sleep(20 * MINUTE)
        assert use(worker) == 2
        app.stores.tickets.records.clear()
        app.stores.tickets._generations.clear()
        app.clock.sleep(15)
        ticket = worker.tickets.current(app.time())
        assert ticket.value == app.stores.tickets.get(APP).ticket
        assert ticket.value.expose() == f"{TICKET}3"

    def test_stale_pair_is_used_during_another_refresh_and_back_off(self, app, worker):
        app.clock.sleep(20 * MINUTE)
        app.stores.leases.acquire(refresh_lease(APP), owner="other", seconds=15)
        assert use(worker) == 1
        app.clock.sleep(15)
        app.upstream.token_reply = UNAVAILABLE
        app.random.draw = lambda: 0.99
        assert {use(worker) for _ in range(5)} == {1}
        assert app.upstream.tokens == 2

    def test_caller_waits_at_most_five_seconds_for_another_refresh(self, app):
        app.stores.leases.acquire(refresh_lease(APP), owner="other", seconds=15)
        begun = app.clock.monotonic()
        with pytest.raises(TicketUnavailableError):
            use(app.worker())
        assert 5 <= app.clock.monotonic() - begun < 5.5

    def test_unavailable_store_allows_the_cached_pair_and_no_token_call(
        self, app, worker, break_stores
    ):
        break_stores()
        app.clock.sleep(30 * MINUTE)
        assert use(worker) == 1
        with pytest.raises(StoreUnavailableError):
            use(app.worker())
        app.clock.sleep(30 * MINUTE)
        with pytest.raises(StoreUnavailableError):
            use(worker)
        assert app.upstream.tokens == 1

    @pytest.mark.parametrize("set_by_minutes", [-30, 30])
    def test_clock_change_never_rejuvenates_a_pair(
        self, app, worker, break_stores, set_by_minutes
    ):
        break_stores()
        app.clock.sleep(29 * MINUTE)
        app.clock.set(app.clock.now() + timedelta(minutes=set_by_minutes))
        if set_by_minutes < 0:
            assert use(worker) == 1
            app.clock.sleep(30 * MINUTE)
        with pytest.raises(StoreUnavailableError):
            use(worker)

    def test_reader_without_the_secret_never_refreshes(self, app):
        deps = app.worker().deps
        reader = OwnedTickets(APP, refresher=None, stores=app.stores, deps=deps)
        with pytest.raises(TicketUnavailableError):
            reader.current(app.time())
        refresh_elsewhere(app)
        assert reader.current(app.time()).generation == 1
        assert app.upstream.tokens == 1


class TestRenewal:
    def test_renew_returns_a_newer_pair_without_a_call(self, app, worker):
        old = worker.tickets.current(app.time())
        app.clock.sleep(19 * MINUTE)
        refresh_elsewhere(app)
        assert renew(worker, old).generation == 2
        assert app.upstream.tokens == 2

    def test_many_workers_force_one_refresh(self, app):
        workers = [app.worker() for _ in range(8)]
        old = [worker.tickets.current(app.time()) for worker in workers]
        app.upstream.kill_pair()
        new = [renew(*pair).generation for pair in zip(workers, old, strict=True)]
        assert {*new} == {2}
        assert app.upstream.tokens == 2
        assert app.log_events().count("ticket_renewal_forced") == 1

    def test_forced_refresh_is_limited_to_one_a_minute(self, app, worker):
        ticket = renew(worker, worker.tickets.current(app.time()))
        app.clock.sleep(59)
        with pytest.raises(TicketUnavailableError):
            renew(worker, ticket)
        app.clock.sleep(1)
        assert renew(worker, ticket).generation == 3

    def test_failed_forced_refresh_counts_against_the_limit(self, app, worker):
        ticket = worker.tickets.current(app.time())
        app.upstream.token_reply = error_reply("400103")
        for _ in range(5):
            with pytest.raises(TicketUnavailableError):
                renew(app.worker(), ticket)
        assert app.upstream.tokens == 2


class TestKeptTickets:
    """Another service keeps the ticket."""

    @pytest.fixture
    def source(self):
        return MutableSecret("kept1")

    @pytest.fixture
    def tickets(self, app, source):
        return KeptTickets(source, clock=app.clock)

    def value(self, app, tickets):
        return tickets.current(app.time()).value.expose()

    def test_ticket_is_read_again_after_fifteen_seconds(self, app, tickets, source):
        assert self.value(app, tickets) == "kept1"
        source.value = "kept2"
        app.clock.sleep(14)
        assert self.value(app, tickets) == "kept1"
        app.clock.sleep(1)
        assert self.value(app, tickets) == "kept2"

    def test_last_ticket_is_used_while_the_source_fails(self, app, tickets, source):
        tickets.current(app.time())
        source.value = ""
        app.clock.sleep(60)
        assert self.value(app, tickets) == "kept1"

    @pytest.mark.parametrize(
        ("source", "cause"),
        [
            (MutableSecret('s:1:"T";'), Cause.TICKET_UNREADABLE),
            (FailingPort(StoreUnavailableError), Cause.SECRET_UNREADABLE),
        ],
        ids=["other form", "no source"],
    )
    def test_ticket_that_cannot_be_had_names_its_cause(self, app, source, cause):
        tickets = KeptTickets(source, clock=app.clock)
        with pytest.raises(TicketUnavailableError) as caught:
            tickets.current(app.time())
        assert caught.value.problem == Problem(cause)

    def test_renew_reads_again_and_fails_without_another_ticket(
        self, app, tickets, source
    ):
        old = tickets.current(app.time())
        with pytest.raises(TicketUnavailableError) as caught:
            tickets.renew(old, app.time())
        assert caught.value.problem == Problem(Cause.TICKET_REFUSED)
        source.value = '{"ticket":"kept2","more":1}'
        new = tickets.renew(old, app.time())
        assert (new.value.expose(), new.generation) == ("kept2", 2)

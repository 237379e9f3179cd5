"""One ticket pair for all workers."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest

from canaries import APP_SECRET, TICKET, TOKEN
from kycourier.core.brake import Brake, Signal, after
from kycourier.core.errors import (
    StaleOwner,
    StoreUnavailable,
    TicketUnavailable,
    UpstreamUnreachable,
)
from kycourier.core.hidden import Secret
from kycourier.core.ticket import refresh_lease
from kycourier.usecases.refresh_ticket import Why
from kycourier.usecases.use_ticket import (
    ForeignTickets,
    OwnedTickets,
    parse_kept_ticket,
)
from worlds import APP, SecretInMemory, World, WrongClock, http, refusal

MINUTE = 60.0
WRONG = [timedelta(minutes=-30), timedelta(minutes=30)]


@pytest.fixture
def world():
    return World()


def scheduled(world, worker=None):
    worker = worker or world.worker()
    return worker.refresher.refresh(None, world.time(), why=Why.SCHEDULED)


class NeverReleasing:
    """The leases of a worker that is killed: what it took it never gives back."""

    def __init__(self, leases):
        self.acquire = leases.acquire

    def release(self, name, *, lease):
        pass


class TestRefresh:
    def test_token_and_ticket_are_bought_together_as_one_generation(self, world):
        pair = scheduled(world)
        assert (pair.generation, pair.ticket.reveal()) == (1, f"{TICKET}1")
        assert pair.token.reveal() == f"{TOKEN}1"
        assert pair.expires_in == timedelta(hours=1)
        assert world.state.tickets.load(APP) == pair

    def test_a_fresh_pair_is_given_without_asking(self, world):
        first = scheduled(world)
        world.clock.sleep(19 * MINUTE - 1)
        assert scheduled(world) == first
        assert world.upstream.tokens == 1

    def test_a_stale_pair_is_replaced(self, world):
        scheduled(world)
        world.clock.sleep(19 * MINUTE)
        pair = scheduled(world)
        assert pair.generation == 2
        assert (pair.token.reveal(), pair.ticket.reveal()) == (
            f"{TOKEN}2",
            f"{TICKET}2",
        )

    def test_while_another_refreshes_nothing_is_asked(self, world):
        name = refresh_lease(APP)
        world.state.leases.acquire(name, owner="other", seconds=15)
        assert scheduled(world) is None
        assert not world.upstream.tokens

    def test_a_refresher_that_dies_after_the_token_is_replaced_when_its_lease_ends(
        self, world
    ):
        world.upstream.ticket_answer = UpstreamUnreachable("timeout")
        monkey = world.worker()
        monkey.refresher._leases = NeverReleasing(world.state.leases)
        with pytest.raises(TicketUnavailable):
            scheduled(world, monkey)
        world.upstream.ticket_answer = None
        assert scheduled(world) is None
        world.clock.sleep(15)
        assert scheduled(world).generation == 1

    def test_a_secret_that_took_its_time_leaves_no_token_bought_without_a_lease(
        self, world
    ):
        slow, quick = world.worker(), world.worker()
        slow.refresher._secret = SecretAfter(world.clock, seconds=12.1)
        asked = []

        def count(request, answer=world.upstream.answer):
            asked.append(request.path)
            return answer(request)

        world.upstream.answer = count
        assert scheduled(world, slow) is None
        assert asked == []
        world.clock.sleep(5)
        assert scheduled(world, quick).generation == 1

    def test_a_secret_that_cannot_be_read_is_no_answer_of_the_platform(self, world):
        worker = world.worker()
        worker.refresher._secret = type("Gone", (), {"load": unreadable})()
        brake = after(
            Brake(),
            Signal.THROTTLED,
            now=world.clock.now(),
            least=timedelta(0),
            draw=0.5,
        )
        world.state.brakes.trip(APP, brake, expected_version=0)
        world.clock.sleep(10)
        with pytest.raises(TicketUnavailable, match="secret_unavailable"):
            scheduled(world, worker)
        assert world.state.brakes.load(APP) == brake

    def test_a_holder_that_slept_past_its_lease_asks_and_saves_nothing(self, world):
        slow, quick = world.worker(), world.worker()

        def sleep_on(request):
            world.upstream.answer = answer
            reply = answer(request)
            world.clock.sleep(15)
            scheduled(world, quick)
            return reply

        answer, world.upstream.answer = world.upstream.answer, sleep_on
        assert scheduled(world, slow) is None
        assert world.upstream.tickets == 1
        assert world.state.tickets.load(APP).ticket.reveal() == f"{TICKET}2"
        assert "ticket_save_refused" in world.facts()

    def test_a_holder_overtaken_during_its_last_call_cannot_save(self, world):
        slow, quick = world.worker(), world.worker()

        def overtaken(request):
            reply = answer(request)
            if request.path.endswith("api_ticket"):
                world.upstream.answer = answer
                world.clock.sleep(15)
                scheduled(world, quick)
            return reply

        answer, world.upstream.answer = world.upstream.answer, overtaken
        assert scheduled(world, slow) is None
        assert world.state.tickets.load(APP).ticket.reveal() == f"{TICKET}2"

    def test_a_lease_that_would_not_outlast_a_call_is_not_used(self, world):
        def late(request):
            reply = answer(request)
            world.clock.sleep(11.5)
            return reply

        answer, world.upstream.answer = world.upstream.answer, late
        assert scheduled(world) is None
        assert world.upstream.tickets == 0

    @pytest.mark.parametrize(
        "answer",
        [
            refusal("400504"),
            http(b"<html>"),
            http({"code": "0", "access_token": "T", "expire_in": "0"}),
            UpstreamUnreachable("connect"),
        ],
        ids=["too_frequent", "html", "no life", "connect"],
    )
    def test_a_failed_refresh_keeps_the_pair_and_is_counted(self, world, answer):
        first = scheduled(world)
        world.clock.sleep(20 * MINUTE)
        world.upstream.token_answer = answer
        with pytest.raises(TicketUnavailable):
            scheduled(world)
        assert world.state.tickets.load(APP) == first
        assert "ticket_refresh_failed" in world.facts()

    def test_with_too_little_time_no_token_is_asked_for(self, world):
        with pytest.raises(TicketUnavailable):
            world.worker().refresher.refresh(None, world.time(4.4), why=Why.NEEDED)
        assert not world.upstream.tokens

    @pytest.mark.parametrize("off", WRONG, ids=str)
    def test_a_worker_whose_clock_is_wrong_dates_the_pair_by_the_stores(
        self, world, off
    ):
        worker = world.worker(clock=WrongClock(world.clock, off=off))
        assert scheduled(world, worker).obtained_at == world.clock.now()

    def test_the_secret_is_read_anew_for_each_token(self, world):
        worker, sent = world.worker(), []

        def note(request):
            sent.append(dict(request.query.reveal()).get("secret"))
            return answer(request)

        answer, world.upstream.answer = world.upstream.answer, note
        scheduled(world, worker)
        worker.refresher._secret.value = "t" * 64
        world.clock.sleep(19 * MINUTE)
        scheduled(world, worker)
        assert [secret for secret in sent if secret] == [APP_SECRET, "t" * 64]

    def test_a_pair_that_cannot_be_saved_is_counted_and_not_bought_again_at_once(
        self, world, monkeypatch
    ):
        """Each purchase starts the last minute of the pair before it."""
        scheduled(world)
        world.clock.sleep(20 * MINUTE)
        saves = []

        def down(*_, **__):
            saves.append(1)
            raise StoreUnavailable

        monkeypatch.setattr(world.state.tickets, "save", down)
        world.nonces.draw = lambda: 0.9
        for _ in range(10):
            assert world.worker().tickets.current(world.time()).generation == 1
        assert world.upstream.tokens == 2
        assert len(saves) == 2
        assert "ticket_refresh_failed" in world.facts()

    def test_a_pair_that_was_bought_is_saved_though_the_first_try_fails(
        self, world, monkeypatch
    ):
        save = world.state.tickets.save

        def fail_once(*_, **__):
            monkeypatch.setattr(world.state.tickets, "save", save)
            raise StoreUnavailable

        monkeypatch.setattr(world.state.tickets, "save", fail_once)
        assert world.state.tickets.load(APP) is None
        assert scheduled(world) == world.state.tickets.load(APP)
        assert world.upstream.tokens == 1

    def test_a_lease_that_cannot_be_given_back_loses_no_pair(self, world, monkeypatch):
        def down(*_, **__):
            raise StoreUnavailable

        monkeypatch.setattr(world.state.leases, "release", down)
        assert scheduled(world).generation == 1

    def test_a_secret_that_cannot_be_read_is_counted(self, world):
        worker = world.worker()
        worker.refresher._secret = type("Gone", (), {"load": unreadable})()
        with pytest.raises(TicketUnavailable) as caught:
            scheduled(world, worker)
        assert caught.value.reason == "secret_unavailable"
        assert not world.upstream.tokens

    def test_the_token_call_leaves_time_for_the_tickets(self, world):
        given = []
        worker = world.worker()
        send = worker.refresher._transport.send

        def watched(request, *, timeout_seconds):
            given.append(timeout_seconds)
            return send(request, timeout_seconds=timeout_seconds)

        worker.refresher._transport.send = watched
        worker.refresher.refresh(None, world.time(5), why=Why.NEEDED)
        assert given == [2, 4]

    def test_a_fleet_with_a_wrong_secret_backs_off_together(self, world):
        world.upstream.token_answer = refusal("400103")
        workers = [world.worker() for _ in range(50)]
        for second in range(600):
            with suppress(TicketUnavailable):
                workers[second % 50].tickets.current(world.time())
            world.clock.sleep(0.1)
        assert 3 <= world.upstream.tokens <= 30

    def test_a_stopped_app_asks_for_no_token(self, world):
        worker = world.worker()
        worker.brake.report(Signal.STOPPED, least=timedelta(0))
        with pytest.raises(TicketUnavailable):
            scheduled(world, worker)
        assert not world.upstream.tokens


def unreadable(_):
    raise StoreUnavailable


class TestUse:
    def test_while_one_thread_refreshes_the_others_go_on_with_a_stale_pair(
        self, world, monkeypatch
    ):
        """They do not even ask for the lease."""
        worker = world.worker()
        worker.tickets.current(world.time())
        world.clock.sleep(20 * MINUTE)
        inside, asked = [], []

        def acquire(name, **lease):
            asked.append(name)
            return real(name, **lease)

        def meanwhile(request):
            if not inside:
                before = len(asked)
                inside.append(in_a_thread(lambda: worker.tickets.current(world.time())))
                assert len(asked) == before
            return answer(request)

        real = world.state.leases.acquire
        monkeypatch.setattr(world.state.leases, "acquire", acquire)
        answer, world.upstream.answer = world.upstream.answer, meanwhile
        assert worker.tickets.current(world.time()).generation == 2
        assert [ticket.generation for ticket in inside] == [1]
        assert refresh_lease(APP) in asked

    def test_a_frozen_worker_does_not_take_its_copy_for_new(self, world):
        """Its monotonic clock stood still; the wall's did not."""
        worker = world.worker()
        worker.tickets.current(world.time())
        world.clock.set(world.clock.now() + timedelta(minutes=20))
        scheduled(world)
        assert worker.tickets.current(world.time()).generation == 2

    def test_a_worker_whose_clock_is_slow_knows_a_dead_pair(self, world):
        scheduled(world)
        world.clock.sleep(60 * MINUTE)
        world.upstream.token_answer = http(b"", status=503)
        slow = world.worker(clock=WrongClock(world.clock, off=WRONG[0]))
        with pytest.raises(TicketUnavailable):
            slow.tickets.current(world.time())

    def test_an_older_pair_is_never_taken_for_a_newer_one(self, world, monkeypatch):
        worker = world.worker()
        worker.tickets.current(world.time())
        old = world.state.tickets.load(APP)
        world.clock.sleep(20 * MINUTE)
        new = worker.tickets.current(world.time())
        monkeypatch.setattr(world.state.tickets, "load", lambda _: old)
        world.clock.sleep(15)
        assert worker.tickets.current(world.time()) == new

    def test_a_copy_of_a_pair_that_the_store_lost_gives_way_to_the_next(self, world):
        worker = world.worker()
        worker.tickets.current(world.time())
        world.clock.sleep(20 * MINUTE)
        assert worker.tickets.current(world.time()).generation == 2
        world.state.tickets.records.clear()
        world.state.tickets._generations.clear()
        world.clock.sleep(15)
        given = worker.tickets.current(world.time())
        assert given.value == world.state.tickets.load(APP).ticket
        assert given.value.reveal() == f"{TICKET}3"

    def test_without_a_pair_a_caller_refreshes(self, world):
        ticket = world.worker().tickets.current(world.time())
        assert (ticket.value.reveal(), ticket.generation) == (f"{TICKET}1", 1)

    def test_two_hundred_cold_starts_ask_for_one_token(self, world):
        for _ in range(200):
            world.worker().tickets.current(world.time())
        assert (world.upstream.tokens, world.upstream.tickets) == (1, 1)

    def test_a_copy_serves_for_fifteen_seconds_and_no_longer(self, world):
        worker = world.worker()
        worker.tickets.current(world.time())
        world.clock.sleep(19 * MINUTE)
        scheduled(world)
        assert worker.tickets.current(world.time()).generation == 2

        world.clock.sleep(19 * MINUTE)
        worker.tickets.current(world.time())
        world.upstream.kill_pair()
        other = world.worker()
        other.tickets.renew(other.tickets.current(world.time()), world.time())
        assert worker.tickets.current(world.time()).generation == 3
        world.clock.sleep(15)
        assert worker.tickets.current(world.time()).generation == 4

    def test_a_stale_pair_serves_while_another_worker_refreshes(self, world):
        worker = world.worker()
        worker.tickets.current(world.time())
        world.clock.sleep(20 * MINUTE)
        world.state.leases.acquire(refresh_lease(APP), owner="other", seconds=15)
        assert worker.tickets.current(world.time()).generation == 1

    def test_a_stale_pair_serves_on_when_the_refresh_fails_and_backs_off(self, world):
        worker = world.worker()
        worker.tickets.current(world.time())
        world.clock.sleep(20 * MINUTE)
        world.upstream.token_answer = http(b"", status=503)
        world.nonces.draw = lambda: 0.99
        for _ in range(5):
            assert worker.tickets.current(world.time()).generation == 1
        assert world.upstream.tokens == 2

    def test_an_expired_pair_is_never_given(self, world):
        worker = world.worker()
        worker.tickets.current(world.time())
        world.clock.sleep(59 * MINUTE)
        world.upstream.token_answer = http(b"", status=503)
        with pytest.raises(TicketUnavailable):
            worker.tickets.current(world.time())

    def test_callers_wait_at_most_five_seconds_for_another_workers_refresh(self, world):
        world.state.leases.acquire(refresh_lease(APP), owner="other", seconds=15)
        begun = world.clock.monotonic()
        with pytest.raises(TicketUnavailable):
            world.worker().tickets.current(world.time())
        assert 5 <= world.clock.monotonic() - begun < 5.5

    def test_while_the_store_is_down_the_copy_serves_and_no_token_is_asked(
        self, world, monkeypatch
    ):
        worker = world.worker()
        worker.tickets.current(world.time())

        def down(*_, **__):
            raise StoreUnavailable

        for store, verb in [
            (world.state.tickets, "load"),
            (world.state.leases, "acquire"),
        ]:
            monkeypatch.setattr(store, verb, down)
        world.clock.sleep(30 * MINUTE)
        assert worker.tickets.current(world.time()).generation == 1
        with pytest.raises(StoreUnavailable):
            world.worker().tickets.current(world.time())
        world.clock.sleep(30 * MINUTE)
        with pytest.raises(StoreUnavailable):
            worker.tickets.current(world.time())
        assert world.upstream.tokens == 1

    @pytest.mark.parametrize("set_by_minutes", [-30, 30])
    def test_a_clock_that_is_set_never_makes_an_old_pair_young(
        self, world, monkeypatch, set_by_minutes
    ):
        worker = world.worker()
        worker.tickets.current(world.time())

        def down(*_, **__):
            raise StoreUnavailable

        monkeypatch.setattr(world.state.tickets, "load", down)
        monkeypatch.setattr(world.state.leases, "acquire", down)
        world.clock.sleep(29 * MINUTE)
        world.clock.set(world.clock.now() + timedelta(minutes=set_by_minutes))
        if set_by_minutes < 0:
            assert worker.tickets.current(world.time()).generation == 1
            world.clock.sleep(30 * MINUTE)
        with pytest.raises(StoreUnavailable):
            worker.tickets.current(world.time())

    def test_without_the_secret_a_pair_is_read_and_never_asked_for(self, world):
        worker = world.worker()
        reader = OwnedTickets(
            APP, refresher=None, state=world.state, ambient=worker.ambient
        )
        with pytest.raises(TicketUnavailable):
            reader.current(world.time())
        scheduled(world)
        assert reader.current(world.time()).generation == 1
        assert world.upstream.tokens == 1


class TestRenewal:
    def test_a_pair_that_was_renewed_meanwhile_is_taken_without_asking(self, world):
        worker = world.worker()
        old = worker.tickets.current(world.time())
        world.clock.sleep(19 * MINUTE)
        scheduled(world)
        assert worker.tickets.renew(old, world.time()).generation == 2
        assert world.upstream.tokens == 2

    def test_many_workers_with_the_refused_pair_force_one_refresh(self, world):
        workers = [world.worker() for _ in range(8)]
        old = [worker.tickets.current(world.time()) for worker in workers]
        world.upstream.kill_pair()
        new = {
            worker.tickets.renew(ticket, world.time()).generation
            for worker, ticket in zip(workers, old, strict=True)
        }
        assert new == {2}
        assert world.upstream.tokens == 2
        assert world.facts().count("ticket_renewal_forced") == 1

    def test_one_forced_refresh_a_minute_the_first_at_once(self, world):
        worker = world.worker()
        ticket = worker.tickets.current(world.time())
        ticket = worker.tickets.renew(ticket, world.time())
        world.clock.sleep(59)
        with pytest.raises(TicketUnavailable):
            worker.tickets.renew(ticket, world.time())
        world.clock.sleep(1)
        assert worker.tickets.renew(ticket, world.time()).generation == 3

    def test_a_failed_forced_refresh_counts_too(self, world):
        worker = world.worker()
        ticket = worker.tickets.current(world.time())
        world.upstream.token_answer = refusal("400103")
        for _ in range(5):
            with pytest.raises(TicketUnavailable):
                world.worker().tickets.renew(ticket, world.time())
        assert world.upstream.tokens == 2


def in_a_thread(work):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


class TestForeign:
    def tickets(self, world, value="kept1"):
        source = SecretInMemory(value)
        return ForeignTickets(source, clock=world.clock), source

    def test_it_is_read_again_after_fifteen_seconds(self, world):
        tickets, source = self.tickets(world)
        assert tickets.current(world.time()).value.reveal() == "kept1"
        source.value = "kept2"
        world.clock.sleep(14)
        assert tickets.current(world.time()).value.reveal() == "kept1"
        world.clock.sleep(1)
        assert tickets.current(world.time()).value.reveal() == "kept2"

    def test_while_it_cannot_be_read_the_last_one_serves(self, world):
        tickets, source = self.tickets(world)
        tickets.current(world.time())
        source.value = ""
        world.clock.sleep(60)
        assert tickets.current(world.time()).value.reveal() == "kept1"

    def test_renewing_means_reading_again(self, world):
        tickets, source = self.tickets(world)
        old = tickets.current(world.time())
        source.value = '{"ticket":"kept2","more":1}'
        new = tickets.renew(old, world.time())
        assert (new.value.reveal(), new.generation) == ("kept2", 2)

    def test_the_same_ticket_again_is_none(self, world):
        tickets, _ = self.tickets(world)
        with pytest.raises(TicketUnavailable):
            tickets.renew(tickets.current(world.time()), world.time())

    @pytest.mark.parametrize(
        ("kept", "ticket"),
        [("T", "T"), ("T\n", "T"), ('{"ticket":"T"}', "T"), (' {"ticket":"T"} ', "T")],
    )
    def test_bare_or_json(self, kept, ticket):
        assert parse_kept_ticket(Secret(kept)).reveal() == ticket

    @pytest.mark.parametrize(
        "kept", ["", " ", "{}", '{"ticket":""}', '{"ticket":5}', "{", "a\nb", "é"]
    )
    def test_what_is_no_ticket_is_told_without_its_text(self, kept):
        with pytest.raises(TicketUnavailable) as caught:
            parse_kept_ticket(Secret(kept))
        assert caught.value.__context__ is None


def test_a_stale_owner_is_never_raised_to_callers(world):
    """It is an answer of the store, and means that another was quicker."""
    worker = world.worker()

    def refuse(*_, **__):
        raise StaleOwner

    worker.refresher._store = type(
        "Refusing", (), {"load": lambda *_: None, "save": refuse}
    )()
    assert scheduled(world, worker) is None


class SecretAfter(SecretInMemory):
    """A secret whose store answers late."""

    def __init__(self, clock, *, seconds):
        super().__init__("s" * 64)
        self._clock, self._seconds = clock, seconds

    def load(self):
        self._clock.sleep(self._seconds)
        return super().load()

"""Timer events."""

import pytest

from canaries import APP_SECRET, TICKET, TOKEN
from kycourier.adapters.triggers.timer import RefreshTimer, SweepTimer
from leak_scan import find_leaks
from worlds import APP, World, expected, http


@pytest.fixture
def world():
    return World()


def refresh(world, worker=None):
    worker = worker or world.worker()
    timer = RefreshTimer(
        APP, refresher=worker.refresher, state=world.state, ambient=worker.ambient
    )
    return timer.answer(world.time())


def test_refresh_tells_what_stands_then(world):
    assert refresh(world) == {"generation": 1, "age_seconds": 0, "ticket": "fresh"}
    world.clock.sleep(300)
    assert refresh(world) == {"generation": 1, "age_seconds": 300, "ticket": "fresh"}


def test_every_five_minutes_is_one_refresh_in_twenty(world):
    for _ in range(13):
        refresh(world)
        world.clock.sleep(300)
    assert world.upstream.tokens == 4


def test_a_failed_refresh_is_told_and_the_pair_serves_on(world):
    refresh(world)
    world.clock.sleep(1200)
    world.upstream.token_answer = http(b"", status=503)
    told = refresh(world)
    assert (told["generation"], told["ticket"]) == (1, "stale")
    assert told["problem"] == "server_error"


def test_the_timer_does_not_heed_a_callers_back_off(world):
    worker = world.worker()
    world.nonces.draw = lambda: 0.99
    world.upstream.token_answer = http(b"", status=503)
    refresh(world, worker)
    world.upstream.token_answer = None
    assert refresh(world, worker)["generation"] == 1


def test_a_ticket_that_is_kept_elsewhere_is_left_alone(world):
    timer = RefreshTimer(
        APP, refresher=None, state=world.state, ambient=world.worker().ambient
    )
    assert timer.answer(world.time()) == {"ticket": "kept elsewhere"}
    assert not world.upstream.tokens


def test_no_secret_is_told(world):
    told = repr(refresh(world)) + repr(world.journal.notes)
    assert find_leaks([TOKEN, TICKET, APP_SECRET], {"told": told}) == []


def test_sweep_tells_what_it_found(world):
    worker = world.worker()
    worker.register.register(expected("order1"))
    world.clock.sleep(600)
    told = SweepTimer(worker.sweeper).answer(world.time())
    assert told == {"due": 1, "unsent": 0, "skipped": 0}

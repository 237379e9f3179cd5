"""The brake holds for every worker."""

from datetime import timedelta

import pytest

from kycourier.core.errors import UpstreamUnreachable
from kycourier.core.order import Urgency
from kycourier.core.order_record import State
from worlds import APP, World, WrongClock, http, refusal


@pytest.fixture
def world():
    world = World()
    world.worker().collect("first")
    return world


def collect_many(worker, count):
    return [worker.collect(f"more{number}") for number in range(count)]


def test_a_throttling_answer_pauses_every_worker_within_two_seconds(world):
    other = world.worker()
    other.collect("second")
    world.upstream.scripts["third"] = [refusal("400501")]
    world.worker().collect("third")
    world.clock.sleep(2)
    record = other.collect("fourth")
    assert (record.state, record.reason) == (State.WAITING, "throttled")
    assert world.upstream.asked["fourth"] == 0


def test_a_worker_whose_clock_leads_heeds_the_pause_to_its_end(world):
    world.upstream.scripts["a"] = [refusal("400501")]
    world.worker().collect("a")
    ahead = world.worker(clock=WrongClock(world.clock, off=timedelta(minutes=10)))
    assert ahead.collect("b").reason == "throttled"
    assert world.upstream.asked["b"] == 0


@pytest.mark.parametrize(
    "answer",
    [http(b"", status=500), http(b"<html>", status=503), UpstreamUnreachable("reset")],
    ids=["500", "503", "reset"],
)
def test_the_fleet_stops_within_twenty_unanswered_calls(world, answer):
    workers = [world.worker() for _ in range(8)]
    for number in range(100):
        world.upstream.scripts[f"o{number}"] = [answer]
    for number in range(100):
        workers[number % 8].collect(f"o{number}")
        world.clock.sleep(0.01)
    calls = sum(world.upstream.asked[f"o{number}"] for number in range(100))
    assert 10 <= calls <= 20
    assert all(world.load(f"o{number}").state is State.WAITING for number in range(100))


def test_retry_after_is_honoured(world):
    world.upstream.scripts["a"] = [http(b"", status=429, retry_after="120")]
    worker = world.worker()
    worker.collect("a")
    record = worker.collect("b")
    assert record.due_at - world.clock.now() >= timedelta(seconds=119)


def test_one_trial_call_ends_the_pause(world):
    world.upstream.scripts["a"] = [refusal("400506")]
    worker = world.worker()
    worker.collect("a")
    world.clock.sleep(6)
    assert worker.collect("b").state is State.COLLECTED
    assert worker.collect("c").state is State.COLLECTED
    assert "brake_released" in world.facts()


def test_during_a_trial_the_others_wait(world):
    world.upstream.scripts["a"] = [refusal("400506")]
    worker, other = world.worker(), world.worker()
    worker.collect("a")
    world.clock.sleep(6)

    def meanwhile(_):
        world.upstream.on_query = lambda _: None
        assert other.collect("c").reason == "throttled"

    world.upstream.on_query = meanwhile
    assert worker.collect("b").state is State.COLLECTED
    assert world.upstream.asked["c"] == 0


def test_who_saw_the_pause_end_before_a_trial_failed_makes_no_second_one(world):
    world.upstream.scripts["a"] = [refusal("400501")]
    world.upstream.scripts["b"] = [refusal("400501")]
    worker, late = world.worker(), world.worker()
    worker.collect("a")
    world.clock.sleep(6)
    late.brake.rest()
    worker.collect("b")
    assert late.collect("c").reason == "throttled"
    assert world.upstream.asked["c"] == 0


def test_a_failed_trial_pauses_for_longer(world):
    world.nonces.draw = lambda: 0.5
    world.upstream.scripts["a"] = [refusal("400501")]
    world.upstream.scripts["b"] = [refusal("400501")]
    worker = world.worker()
    worker.collect("a")
    world.clock.sleep(6)
    worker.collect("b")
    pauses = [
        f["seconds"] for fact, f in world.journal.notes if fact == "brake_tripped"
    ]
    assert pauses == [3.8, 7.5]


@pytest.mark.parametrize("code", ["66660001", "66660002"])
def test_an_unknown_or_expired_app_pauses_until_a_person_resumes_it(world, code):
    world.upstream.scripts["a"] = [refusal(code)]
    worker = world.worker()
    assert worker.collect("a").state is State.PARKED
    world.clock.sleep(24 * 3600)
    assert collect_many(worker, 20)[-1].reason == "throttled"
    assert world.facts().count("app_stopped") == 1
    worker.brake.resume()
    assert worker.collect("z").state is State.COLLECTED
    assert worker.collect("more1", Urgency.NOW).state is State.COLLECTED


def test_a_paused_order_waits_in_its_row_and_queue_until_the_pause_is_over(world):
    world.upstream.scripts["a"] = [refusal("400501")]
    worker = world.worker()
    worker.collect("a")
    record = worker.collect("b")
    pause = world.state.brakes.load(APP).paused_until
    assert record.due_at >= pause
    world.clock.sleep(11)
    bodies = [d.body for d in world.queue.receive(9, visibility_seconds=60)]
    assert any('"b"' in body for body in bodies)
    assert worker.collect("b", Urgency.DUE).state is State.COLLECTED


def test_orders_that_wait_for_a_pause_are_not_all_due_at_its_end(world):
    world.upstream.scripts["a"] = [refusal("400501")]
    worker = world.worker()
    worker.collect("a")
    end = world.state.brakes.load(APP).paused_until
    late = [record.due_at - end for record in collect_many(worker, 10)]
    assert len(set(late)) == 10
    assert all(timedelta(0) <= each <= timedelta(seconds=5) for each in late)


def test_a_ticket_call_that_is_throttled_pauses_too():
    world = World()
    world.upstream.token_answer = refusal("400504")
    worker = world.worker()
    assert worker.collect("a").reason == "throttled"
    pause = world.state.brakes.load(APP).paused_until - world.clock.now()
    assert pause >= timedelta(seconds=59)

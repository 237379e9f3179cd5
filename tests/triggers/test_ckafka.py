"""CKafka's batches: a trigger that knows only the whole batch, again and again."""

import json
from concurrent.futures import Future
from threading import Event, Semaphore, Thread

import pytest

from api_caller import sample
from kycourier.core.errors import NewerSchema, OutOfTime, StoreUnavailable
from kycourier.core.order_record import State
from kycourier.usecases.side_by_side import SideBySide
from worlds import Worker, World, refusal

ALL_TAKEN = {"batchItemFailures": []}
NO_TEXT = [None, 5, True, [], {}, ["{}"], {"order_no": "order1"}]


@pytest.fixture
def world():
    return World()


def kafka(body, key="None", offset=3):
    place = {"topic": "orders", "partition": 0, "offset": offset, "msgKey": key}
    return {"Ckafka": {**place, "msgBody": body}}


def orders(*numbers):
    return [kafka(json.dumps({"order_no": number})) for number in numbers]


def answer(world, *records, seconds=60):
    queue = world.worker().orders_queue()
    return queue.answer({"Records": list(records)}, world.time(seconds))


def poison(world):
    return [(source, problem) for _, source, problem in world.state.orders.poison]


def refuse(*_, **__):
    raise StoreUnavailable


def test_the_documented_event_is_collected_and_its_poison_kept(world):
    assert answer(world, *sample("scf_ckafka_batch")["Records"]) == ALL_TAKEN
    first, second = "bankcardPic5923ab9a3bc34488b51", "bankcardPic5923ab9a3bc34488b52"
    assert world.load(first).state is State.COLLECTED
    assert world.load(second).state is State.COLLECTED
    assert poison(world) == [("ckafka", "bad_json")]


def test_a_batch_that_comes_again_has_one_effect(world):
    for _ in range(3):
        answer(world, *orders("order1", "order1", "order2"))
    assert world.upstream.asked == {"order1": 1, "order2": 1}
    assert len(world.sink.events) == 2


@pytest.mark.parametrize("key", [None, "", "order1", 7, "\ud800"])
def test_a_records_key_matters_to_nobody(world, key):
    assert answer(world, kafka('{"order_no":"order1"}', key)) == ALL_TAKEN
    assert world.load("order1").state is State.COLLECTED
    assert not poison(world)


@pytest.mark.parametrize("body", NO_TEXT, ids=repr)
def test_a_tombstone_and_whatever_is_no_text_is_poison(world, body):
    assert answer(world, kafka(body), *orders("order1")) == ALL_TAKEN
    assert poison(world) == [("ckafka", "bad_json")]
    assert world.load("order1").state is State.COLLECTED


def test_a_body_in_base64_is_read_as_it_stands_and_so_is_poison(world):
    """The trigger hands a message's text over; nothing says that it was encoded."""
    assert answer(world, kafka("eyJvcmRlcl9ubyI6Im9yZGVyMSJ9")) == ALL_TAKEN
    assert poison(world) == [("ckafka", "bad_json")]


@pytest.mark.parametrize("odd", [None, [], "text", 7])
def test_a_record_without_its_parts_is_kept_as_poison(world, odd):
    assert answer(world, {"Ckafka": odd}) == ALL_TAKEN
    assert poison(world) == [("batch", "bad_envelope")]


def test_its_messages_have_no_attributes_and_so_no_traceparent(world):
    record = orders("order1")[0]
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    record["messageAttributes"] = {"traceparent": {"stringValue": trace}}
    answer(world, record)
    assert "traceparent" not in world.bodies()[0]


def test_an_order_that_waits_is_taken(world):
    world.upstream.scripts["order1"] = [refusal("66660011")]
    assert answer(world, *orders("order1")) == ALL_TAKEN
    assert world.load("order1").state is State.WAITING


def test_what_there_is_no_time_for_is_due_in_its_row(world):
    assert answer(world, *orders("order1"), seconds=1) == ALL_TAKEN
    kept = world.load("order1")
    assert (kept.state, kept.due_at) == (State.REGISTERED, world.clock.now())
    assert not world.upstream.asked


def test_what_cannot_be_claimed_is_due_in_its_row(world, monkeypatch):
    monkeypatch.setattr(world.state.orders, "claim", refuse)
    assert answer(world, *orders("order1")) == ALL_TAKEN
    assert world.load("order1").due_at == world.clock.now()


def test_only_a_store_that_is_down_brings_the_batch_again(world, monkeypatch):
    with monkeypatch.context() as down:
        down.setattr(world.state.orders, "claim", refuse)
        down.setattr(world.state.orders, "register", refuse)
        with pytest.raises(StoreUnavailable):
            answer(world, *orders("order1", "order2"))
        assert world.facts().count("record_returned") == 1
    assert answer(world, *orders("order1", "order2")) == ALL_TAKEN
    assert len(world.sink.events) == 2


def test_poison_that_cannot_be_kept_brings_the_batch_again(world, monkeypatch):
    monkeypatch.setattr(world.state.orders, "record_poison", refuse)
    with pytest.raises(StoreUnavailable):
        answer(world, kafka("{"), *orders("order1"))
    assert world.load("order1").state is State.COLLECTED


@pytest.mark.parametrize("error", [ValueError("canary"), NewerSchema()], ids=repr)
def test_an_order_that_always_fails_does_not_stop_its_partition(
    world, monkeypatch, error
):
    """It is left to the sweep, which tells of it: the batch would come for ever."""
    claim = world.state.orders.claim

    def fail_one(draft, **asked):
        if draft.order_no == "bad1":
            raise error
        return claim(draft, **asked)

    monkeypatch.setattr(world.state.orders, "claim", fail_one)
    assert answer(world, *orders("order1", "bad1", "order2")) == ALL_TAKEN
    assert world.load("bad1").due_at == world.clock.now()
    assert len(world.sink.events) == 2
    assert "order_skipped" in world.facts()
    assert "canary" not in repr(world.journal.notes)


def test_a_row_of_a_newer_release_is_left_to_it(world, monkeypatch):
    def newer(*_, **__):
        raise NewerSchema

    monkeypatch.setattr(world.state.orders, "claim", newer)
    monkeypatch.setattr(world.state.orders, "register", newer)
    assert answer(world, *orders("order1")) == ALL_TAKEN


def test_in_a_mixed_batch_each_trigger_gets_its_own_back(world):
    sqs = {"messageId": "m1", "body": "{"}
    answered = answer(world, sqs, kafka("{"), *orders("order1"))
    assert answered == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert poison(world) == [("ckafka", "bad_json")]
    assert world.load("order1").state is State.COLLECTED


class HangingPool:
    """A pool that gives its first run up once all of it hangs, as time ends."""

    def __init__(self, hangs):
        self._hangs, self._pool = hangs, SideBySide(most=1)
        self.left = []

    def run(self, work, items, time_left):
        self.left.append(time_left.seconds())
        if len(self.left) > 1:
            return self._pool.run(work, items, time_left)
        for item in items:
            Thread(target=work, args=(item, time_left), daemon=True).start()
        assert self._hangs.acquire(timeout=30)
        given_up = Future()
        given_up.set_exception(OutOfTime("hangs"))
        return [given_up for _ in items]


def test_a_platform_that_hangs_does_not_bring_the_batch_again(world):
    """What hangs is given up while there is time to see that its row is there."""
    hangs, end = Semaphore(0), Event()

    def hang(_):
        hangs.release()
        end.wait(30)

    world.upstream.on_query = hang
    pool = HangingPool(hangs)
    queue = Worker(world, pool=pool).orders_queue()
    try:
        taken = queue.answer({"Records": orders("order1")}, world.time(10))
        assert taken == ALL_TAKEN
        assert world.load("order1").state is State.COLLECTING
    finally:
        end.set()
    assert pool.left == [pytest.approx(9.499), 10]


@pytest.mark.parametrize(
    ("records", "seconds", "collected"), [(10_000, 60, 475), (100, 10, 74), (10, 1, 0)]
)
def test_a_batch_is_kept_whole_in_the_time_there_is(world, records, seconds, collected):
    """At 0.1 s an order most are still to be done at the end: those are due."""
    world.upstream.on_query = lambda _: world.clock.sleep(0.1)
    many = [f"order{number}" for number in range(records)]
    assert answer(world, *orders(*many), seconds=seconds) == ALL_TAKEN
    states = [world.load(number).state for number in many]
    assert set(states) <= {State.COLLECTED, State.REGISTERED}
    assert states.count(State.COLLECTED) == pytest.approx(collected, abs=1)

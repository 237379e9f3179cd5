"""CKafka batches, which the trigger redelivers as a whole or not at all."""

import json
from concurrent.futures import Future
from threading import Event, Semaphore, Thread

import pytest

from kycourier.core.errors import (
    NewerSchemaError,
    OutOfTimeError,
    StoreUnavailableError,
)
from kycourier.core.orders.record import OrderState
from kycourier.usecases.concurrency import BoundedPool
from support.rigs.fake_platform import error_reply
from support.rigs.in_memory import InMemoryApp, InMemoryWorker
from support.sample_events import sample_event

NO_FAILURES = {"batchItemFailures": []}
NO_TEXT = [None, 5, True, [], {}, ["{}"], {"order_no": "order1"}]


@pytest.fixture
def app():
    return InMemoryApp()


def kafka(body, key="None", offset=3):
    position = {"topic": "orders", "partition": 0, "offset": offset, "msgKey": key}
    return {"Ckafka": {**position, "msgBody": body}}


def orders(*numbers):
    return [kafka(json.dumps({"order_no": number})) for number in numbers]


def deliver(app, *records, seconds=60):
    queue = app.worker().orders_queue()
    return queue.handle({"Records": list(records)}, app.time(seconds))


def poison(app):
    return [(source, problem) for _, source, problem in app.stores.orders.poison]


def refuse(*_, **__):
    raise StoreUnavailableError


def test_documented_event_is_collected_and_its_poison_kept(app):
    assert deliver(app, *sample_event("scf_ckafka_batch")["Records"]) == NO_FAILURES
    first, second = "bankcardPic5923ab9a3bc34488b51", "bankcardPic5923ab9a3bc34488b52"
    assert app.load(first).state is OrderState.COLLECTED
    assert app.load(second).state is OrderState.COLLECTED
    assert poison(app) == [("ckafka", "bad_json")]


def test_redelivered_batch_has_one_effect(app):
    for _ in range(3):
        deliver(app, *orders("order1", "order1", "order2"))
    assert app.upstream.queries == {"order1": 1, "order2": 1}
    assert len(app.sink.events) == 2


@pytest.mark.parametrize("key", [None, "", "order1", 7, "\ud800"])
def test_record_key_is_ignored(app, key):
    assert deliver(app, kafka('{"order_no":"order1"}', key)) == NO_FAILURES
    assert app.load("order1").state is OrderState.COLLECTED
    assert not poison(app)


@pytest.mark.parametrize("body", NO_TEXT, ids=repr)
def test_tombstone_or_non_text_body_is_poison(app, body):
    assert deliver(app, kafka(body), *orders("order1")) == NO_FAILURES
    assert poison(app) == [("ckafka", "bad_json")]
    assert app.load("order1").state is OrderState.COLLECTED


def test_base64_body_is_poison(app):
    """The trigger passes text on; nothing marks it as encoded."""
    assert deliver(app, kafka("eyJvcmRlcl9ubyI6Im9yZGVyMSJ9")) == NO_FAILURES
    assert poison(app) == [("ckafka", "bad_json")]


@pytest.mark.parametrize("odd", [None, [], "text", 7])
def test_malformed_record_is_poison(app, odd):
    assert deliver(app, {"Ckafka": odd}) == NO_FAILURES
    assert poison(app) == [("batch", "bad_envelope")]


def test_message_attributes_are_ignored(app):
    record = orders("order1")[0]
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    record["messageAttributes"] = {"traceparent": {"stringValue": trace}}
    deliver(app, record)
    assert "traceparent" not in app.bodies()[0]


def test_waiting_order_is_acknowledged(app):
    app.upstream.scripts["order1"] = [error_reply("66660011")]
    assert deliver(app, *orders("order1")) == NO_FAILURES
    assert app.load("order1").state is OrderState.WAITING


def test_order_without_time_becomes_due_in_its_row(app):
    assert deliver(app, *orders("order1"), seconds=1) == NO_FAILURES
    kept = app.load("order1")
    assert (kept.state, kept.due_at) == (OrderState.REGISTERED, app.clock.now())
    assert not app.upstream.queries


def test_unclaimable_order_becomes_due_in_its_row(app, monkeypatch):
    monkeypatch.setattr(app.stores.orders, "claim", refuse)
    assert deliver(app, *orders("order1")) == NO_FAILURES
    assert app.load("order1").due_at == app.clock.now()


def test_unavailable_store_returns_the_whole_batch(app, monkeypatch):
    with monkeypatch.context() as down:
        down.setattr(app.stores.orders, "claim", refuse)
        down.setattr(app.stores.orders, "register", refuse)
        with pytest.raises(StoreUnavailableError):
            deliver(app, *orders("order1", "order2"))
        assert app.log_events().count("record_returned") == 1
    assert deliver(app, *orders("order1", "order2")) == NO_FAILURES
    assert len(app.sink.events) == 2


def test_unstorable_poison_returns_the_whole_batch(app, monkeypatch):
    monkeypatch.setattr(app.stores.orders, "record_poison", refuse)
    with pytest.raises(StoreUnavailableError):
        deliver(app, kafka("{"), *orders("order1"))
    assert app.load("order1").state is OrderState.COLLECTED


@pytest.mark.parametrize("error", [ValueError("canary"), NewerSchemaError()], ids=repr)
def test_failing_order_does_not_block_its_partition(app, monkeypatch, error):
    """It is left to the sweep; otherwise the batch would be redelivered for ever."""
    claim = app.stores.orders.claim

    def fail_one(draft, **asked):
        if draft.order_no == "bad1":
            raise error
        return claim(draft, **asked)

    monkeypatch.setattr(app.stores.orders, "claim", fail_one)
    assert deliver(app, *orders("order1", "bad1", "order2")) == NO_FAILURES
    assert app.load("bad1").due_at == app.clock.now()
    assert len(app.sink.events) == 2
    assert "order_skipped" in app.log_events()
    assert "canary" not in repr(app.event_log.entries)


def test_row_of_a_newer_schema_is_acknowledged(app, monkeypatch):
    def newer(*_, **__):
        raise NewerSchemaError

    monkeypatch.setattr(app.stores.orders, "claim", newer)
    monkeypatch.setattr(app.stores.orders, "register", newer)
    assert deliver(app, *orders("order1")) == NO_FAILURES


def test_mixed_batch_returns_failures_by_trigger(app):
    sqs = {"messageId": "m1", "body": "{"}
    response = deliver(app, sqs, kafka("{"), *orders("order1"))
    assert response == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert poison(app) == [("ckafka", "bad_json")]
    assert app.load("order1").state is OrderState.COLLECTED


class HangingPool:
    """A pool whose first run is cancelled once all of its work hangs."""

    def __init__(self, hangs):
        self._hangs, self._pool = hangs, BoundedPool(size=1)
        self.left = []

    def run(self, work, items, deadline):
        self.left.append(deadline.seconds())
        if len(self.left) > 1:
            return self._pool.run(work, items, deadline)
        for item in items:
            Thread(target=work, args=(item, deadline), daemon=True).start()
        assert self._hangs.acquire(timeout=30)
        cancelled = Future()
        cancelled.set_exception(OutOfTimeError("hangs"))
        return [cancelled for _ in items]


def test_hanging_platform_does_not_return_the_batch(app):
    """Hanging work is cancelled while there is time to check that its row exists."""
    hangs, end = Semaphore(0), Event()

    def hang(_):
        hangs.release()
        end.wait(30)

    app.upstream.on_query = hang
    pool = HangingPool(hangs)
    queue = InMemoryWorker(app, pool=pool).orders_queue()
    try:
        taken = queue.handle({"Records": orders("order1")}, app.time(10))
        assert taken == NO_FAILURES
        assert app.load("order1").state is OrderState.COLLECTING
    finally:
        end.set()
    assert pool.left == [pytest.approx(9.499), 10]


@pytest.mark.parametrize(
    ("records", "seconds", "collected"), [(10_000, 60, 475), (100, 10, 74), (10, 1, 0)]
)
def test_every_order_of_a_large_batch_is_collected_or_due(
    app, records, seconds, collected
):
    """At 0.1 s per order most are left at the end; those become due."""
    app.upstream.on_query = lambda _: app.clock.sleep(0.1)
    many = [f"order{number}" for number in range(records)]
    assert deliver(app, *orders(*many), seconds=seconds) == NO_FAILURES
    states = [app.load(number).state for number in many]
    assert set(states) <= {OrderState.COLLECTED, OrderState.REGISTERED}
    assert states.count(OrderState.COLLECTED) == pytest.approx(collected, abs=1)

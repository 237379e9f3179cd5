"""CKafka batches, which the trigger redelivers as a whole or not at all."""

import json
from concurrent.futures import Future
from threading import Event, Semaphore, Thread

import pytest
from msgspec.structs import replace

from kycourier.core.errors import (
    NewerSchemaError,
    OutOfTimeError,
    StoreUnavailableError,
)
from kycourier.core.orders.record import OrderState
from kycourier.usecases.concurrency import BoundedPool
from support.failing_ports import raising
from support.rigs.in_memory import SEQUENTIAL, InMemoryWorker
from support.sample_events import sample_event

NO_FAILURES = {"batchItemFailures": []}
NOT_JSON = [None, 5, [], {"order_no": "order1"}, "eyJvcmRlcl9ubyI6Im9yZGVyMSJ9"]


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


def test_documented_event_is_collected_and_its_poison_kept(app):
    assert deliver(app, *sample_event("scf_ckafka_batch")["Records"]) == NO_FAILURES
    first, second = "bankcardPic5923ab9a3bc34488b51", "bankcardPic5923ab9a3bc34488b52"
    assert app.load(first).state is OrderState.COLLECTED
    assert app.load(second).state is OrderState.COLLECTED
    assert poison(app) == [("ckafka", "bad_json")]


@pytest.mark.parametrize("key", [None, "", "order1", 7, "\ud800"])
def test_record_key_is_ignored(app, key):
    assert deliver(app, kafka('{"order_no":"order1"}', key)) == NO_FAILURES
    assert app.load("order1").state is OrderState.COLLECTED
    assert not poison(app)


@pytest.mark.parametrize("body", NOT_JSON, ids=repr)
def test_tombstone_non_text_and_base64_bodies_are_poison(app, body):
    """The trigger passes text on; nothing marks it as encoded."""
    assert deliver(app, kafka(body), *orders("order1")) == NO_FAILURES
    assert poison(app) == [("ckafka", "bad_json")]
    assert app.load("order1").state is OrderState.COLLECTED


@pytest.mark.parametrize("odd", [None, [], "text", 7])
def test_malformed_record_is_poison(app, odd):
    """An error would have the trigger retry its batch for ever."""
    assert deliver(app, {"Ckafka": odd}) == NO_FAILURES
    assert poison(app) == [("ckafka", "bad_json")]


def test_unclaimable_order_becomes_due_in_its_row(app, monkeypatch):
    monkeypatch.setattr(app.stores.orders, "claim", raising(StoreUnavailableError))
    assert deliver(app, *orders("order1")) == NO_FAILURES
    assert app.load("order1").due_at == app.clock.now()


def test_unstorable_poison_returns_the_whole_batch(app, monkeypatch):
    monkeypatch.setattr(
        app.stores.orders, "record_poison", raising(StoreUnavailableError)
    )
    with pytest.raises(StoreUnavailableError):
        deliver(app, kafka("{"), *orders("order1"))
    assert app.load("order1").state is OrderState.COLLECTED


@pytest.mark.parametrize("error", [ValueError("canary"), NewerSchemaError()], ids=repr)
def test_failing_order_does_not_block_its_partition(app, monkeypatch, error):
    """It is left to the sweep; otherwise the batch would be redelivered for ever."""
    claim = app.stores.orders.claim

    def fail_one(draft, **options):
        if draft.order_no == "bad1":
            raise error
        return claim(draft, **options)

    monkeypatch.setattr(app.stores.orders, "claim", fail_one)
    assert deliver(app, *orders("order1", "bad1", "order2")) == NO_FAILURES
    assert app.load("bad1").due_at == app.clock.now()
    assert len(app.sink.events) == 2
    assert "order_skipped" in app.log_events()
    assert "canary" not in repr(app.event_log.entries)


def test_row_of_a_newer_schema_is_acknowledged(app, monkeypatch):
    for verb in ("claim", "register"):
        monkeypatch.setattr(app.stores.orders, verb, raising(NewerSchemaError))
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
    pools = replace(SEQUENTIAL, orders=pool)
    queue = InMemoryWorker(app, pools=pools).orders_queue()
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

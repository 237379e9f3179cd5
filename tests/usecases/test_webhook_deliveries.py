"""A receiver that fails or is slow delays no order, and gets every event it missed."""

from datetime import timedelta
from threading import Event

import pytest

from kycourier.core.errors import SinkUnavailableError
from kycourier.core.orders.record import describe
from kycourier.core.orders.state_machine import Urgency
from kycourier.core.timing import BATCH_RESERVE_SECONDS, SWEEP_PART_RESERVE_SECONDS
from kycourier.triggers.timer import SweepTimer
from kycourier.usecases.concurrency import BoundedPool
from kycourier.usecases.sweep_orders import SweepPools
from support.rigs.fake_platform import error_reply, result_reply
from support.rigs.in_memory import InMemoryApp, InMemoryWorker, expected_order

ORDERS = [f"order{number}" for number in range(12)]


class FakeReceiver:
    """A receiver that takes `seconds` for each event, and then answers or fails."""

    def __init__(self, clock):
        self._clock = clock
        self.seconds, self.failure = 0.0, None
        self.received, self.limits = [], []

    def publish(self, events):
        self.publish_within(events, seconds=10.0)

    def publish_within(self, events, *, seconds):
        self.limits.append(seconds)
        self._clock.sleep(min(self.seconds, seconds))
        if self.seconds > seconds:
            raise SinkUnavailableError(word="timed_out")
        if self.failure is not None:
            raise self.failure
        self.received += events

    def fail(self, word="http_500", **options):
        self.failure = SinkUnavailableError(word=word, **options)


@pytest.fixture
def app():
    app = InMemoryApp()
    app.has_webhook, app.sink = True, FakeReceiver(app.clock)
    return app


def collect(app, *numbers, seconds=60):
    """Collect orders in one invocation."""
    worker, deadline = app.worker(), app.time(seconds)
    return [
        worker.collector.collect(
            expected_order(number), urgency=Urgency.NOTIFIED, deadline=deadline
        )
        for number in numbers
    ]


def sweep(app, worker=None, *, seconds=55):
    worker = worker or app.worker()
    SweepTimer(worker.sweeper).handle(app.time(seconds))


def delivery(app, order_no="order0"):
    return describe(app.load(order_no))["delivery"]


def sleep_until_due(app, order_no="order0"):
    due = app.load(order_no).due_at - app.clock.now()
    app.clock.sleep(max(0.0, due.total_seconds()))
    return due


def test_event_is_delivered_with_the_order(app):
    [row] = collect(app, "order0")

    assert row.state.value == "collected"
    assert [event.id for event in app.sink.received] == [row.events[0].id]
    found = delivery(app)
    assert (found["state"], found["attempts"], found["problem"]) == (
        "delivered",
        1,
        None,
    )


def test_failed_delivery_is_tried_by_the_schedule_with_the_same_bytes(app):
    app.sink.fail()
    [row] = collect(app, "order0")
    waited = []
    for _ in range(3):
        waited.append(sleep_until_due(app).total_seconds())
        sweep(app)
    assert waited == [pytest.approx(exact, rel=0.1) for exact in (5, 60, 300)]
    assert delivery(app)["problem"] == "http_500"
    assert (delivery(app)["state"], delivery(app)["attempts"]) == ("pending", 4)
    app.sink.failure = None
    sleep_until_due(app)
    sweep(app)

    [event] = app.sink.received
    assert (event.id, event.body) == (row.events[0].id, row.events[0].body)
    assert delivery(app)["state"] == "delivered"
    assert app.load("order0").last_problem is None


def test_deliveries_of_an_invocation_take_three_seconds_at_most(app):
    app.sink.seconds = 60
    started = app.clock.monotonic()

    rows = collect(app, *ORDERS)

    assert app.clock.monotonic() - started == pytest.approx(3, abs=0.01)
    assert app.sink.limits == [3]
    assert {row.state.value for row in rows} == {"collected"}
    for number in ORDERS:  # left to the sweep, due at once, no attempt counted
        assert delivery(app, number)["attempts"] == 0
        assert app.load(number).due_at <= app.clock.now()


def test_fast_deliveries_share_the_three_seconds(app):
    app.sink.seconds = 0.9

    collect(app, *ORDERS)

    assert len(app.sink.received) == 3
    assert app.sink.limits == [3, pytest.approx(2.1), pytest.approx(1.2)]


def test_receiver_that_needs_nine_seconds_gets_them_in_the_sweep(app):
    app.sink.seconds = 9
    [row] = collect(app, "order0")

    sweep(app)

    assert app.sink.received == list(row.events)
    assert app.sink.limits == [3, 10]
    assert (delivery(app)["state"], delivery(app)["attempts"]) == ("delivered", 1)
    assert "event_publish_failed" not in app.log_events()


def test_receiver_that_hangs_for_ten_seconds_has_failed(app):
    app.sink.seconds = 60
    collect(app, "order0")

    sweep(app)

    found = delivery(app)
    assert (found["state"], found["attempts"]) == ("pending", 1)
    assert found["problem"] == "timed_out"


def test_delivery_at_the_end_of_a_sweep_ends_before_its_thread_is_given_up(app):
    app.sink.seconds = 60
    collect(app, "order0")

    sweep(app, seconds=9)

    given_up_at = 9 - SWEEP_PART_RESERVE_SECONDS - BATCH_RESERVE_SECONDS
    assert app.sink.limits[1] < given_up_at
    assert delivery(app)["attempts"] == 0
    assert app.load("order0").due_at <= app.clock.now()


def test_next_invocation_has_three_seconds_of_its_own(app):
    app.sink.seconds = 60
    collect(app, "order0")
    app.sink.seconds = 0

    collect(app, "order1")

    assert [event.subject for event in app.sink.received] == ["order1"]


def test_sweep_collects_beside_a_receiver_that_hangs(app):
    """The receiver answers only once the sweep has collected an order."""
    app.sink.fail()
    collect(app, "order0")
    collected = Event()
    pools = SweepPools(
        orders=BoundedPool(size=1),
        deliveries=BoundedPool(size=1),
        parts=BoundedPool(size=2),
    )
    worker = InMemoryWorker(app, pools=pools)
    worker.register.register(expected_order("due"))
    app.clock.sleep(600)
    app.sink.failure = None
    receive, put = app.sink.publish_within, app.evidence.put

    def put_and_release(*arguments, **options):
        put(*arguments, **options)
        collected.set()

    def wait_and_receive(events, *, seconds):
        assert collected.wait(20)
        receive(events, seconds=seconds)

    app.sink.publish_within, app.evidence.put = wait_and_receive, put_and_release
    sweep(app, worker)

    assert app.load("due").state.value == "collected"
    assert delivery(app)["state"] == "delivered"


def test_sweep_sends_what_others_left_behind_a_failing_order(app):
    app.sink.fail()
    collect(app, "order0", "order1", "order2")
    failing = app.load("order0").events[0].id

    class Picky(FakeReceiver):
        def publish_within(self, events, *, seconds):
            if events[0].id == failing:
                raise SinkUnavailableError(word="http_400")
            super().publish_within(events, seconds=seconds)

    app.sink = Picky(app.clock)
    app.clock.sleep(10)
    sweep(app)

    assert {event.subject for event in app.sink.received} == {"order1", "order2"}
    assert delivery(app)["problem"] == "http_400"


GONE = SinkUnavailableError(word="http_410", is_gone=True)


def refuse(app, **errors):
    """Make the receiver refuse the events of some outcomes."""

    class Picky(FakeReceiver):
        def publish_within(self, events, *, seconds):
            self.failure = errors.get(events[0].type.split(".")[2])
            super().publish_within(events, seconds=seconds)

    app.sink = Picky(app.clock)


def park_and_collect(app):
    """Park order0 while the receiver is down, reopen it, and let it be collected."""
    receiver, app.sink = app.sink, FakeReceiver(app.clock)
    app.sink.fail()
    app.upstream.scripts["order0"] = [error_reply("66660013"), result_reply("order0")]
    collect(app, "order0")
    app.worker().register.make_due(expected_order("order0"), reopen=True)
    app.sink = receiver
    [row] = collect(app, "order0")
    assert [event.type.split(".")[2] for event in row.events] == ["parked", "collected"]
    return row


def sent(row):
    return [event.sent for event in row.events]


def outcomes(app):
    return [event.type.split(".")[2] for event in app.sink.received]


def test_event_that_is_refused_does_not_delay_the_next_of_its_order(app):
    refuse(app, parked=SinkUnavailableError(word="http_400"))
    row = park_and_collect(app)

    assert (outcomes(app), sent(row)) == (["collected"], [False, True])
    assert row.delivery.problem == "http_400"
    app.sink = FakeReceiver(app.clock)
    sleep_until_due(app)
    sweep(app)

    assert (outcomes(app), sent(app.load("order0"))) == (["parked"], [True, True])
    assert delivery(app)["problem"] is None


def test_410_gives_up_one_event_only(app):
    refuse(app, parked=GONE)
    row = park_and_collect(app)

    assert (outcomes(app), sent(row)) == (["collected"], [False, True])
    assert [event.undeliverable for event in row.events] == [True, False]
    assert (delivery(app)["state"], delivery(app)["problem"]) == ("delivered", None)
    assert app.log_events().count("event_undeliverable") == 1


def test_410_for_the_newest_event_leaves_the_schedule_of_the_other(app):
    refuse(app, parked=SinkUnavailableError(word="http_500"), collected=GONE)
    row = park_and_collect(app)
    assert [event.undeliverable for event in row.events] == [False, True]
    assert (row.delivery.problem, row.delivery.attempts) == ("http_500", 1)
    app.sink = FakeReceiver(app.clock)
    sleep_until_due(app)
    sweep(app)

    assert outcomes(app) == ["parked"]
    assert sent(app.load("order0")) == [True, False]
    assert delivery(app)["state"] == "undeliverable"


def test_pause_holds_for_the_next_event_of_the_order_too(app):
    pause = timedelta(seconds=90)
    refuse(app, parked=SinkUnavailableError(word="http_429", retry_after=pause))
    row = park_and_collect(app)

    assert (len(app.sink.limits), sent(row)) == (1, [False, False])
    assert row.due_at - app.clock.now() == pause


def test_two_events_of_an_order_share_the_three_seconds(app):
    app.sink.seconds = 2
    row = park_and_collect(app)

    assert app.sink.limits == [3, pytest.approx(1)]
    assert (outcomes(app), sent(row)) == (["parked"], [True, False])
    assert row.due_at <= app.clock.now()
    assert row.delivery is None


@pytest.mark.parametrize("is_gone", [True, False])
def test_event_is_given_up_after_410_or_the_last_attempt_and_kept(app, is_gone):
    app.sink.fail("http_410" if is_gone else "http_503", is_gone=is_gone)
    [row] = collect(app, "order0")
    attempts = 1
    while app.load("order0").unsent:
        sleep_until_due(app)
        sweep(app)
        attempts += 1

    assert attempts == (1 if is_gone else 14)
    found = delivery(app)
    assert (found["state"], found["attempts"]) == ("undeliverable", attempts)
    assert found["due_at"] is None
    assert app.load("order0").events[0].body == row.events[0].body
    assert app.log_events().count("event_undeliverable") == 1
    sent = len(app.sink.limits)
    app.clock.sleep(86400)
    sweep(app)
    assert len(app.sink.limits) == sent


def test_receiver_that_asks_for_a_pause_gets_nothing_until_then(app):
    app.sink.fail("http_429", retry_after=timedelta(seconds=90))
    worker = app.worker()
    deadline = app.time()
    for number in ("order0", "order1"):
        order = expected_order(number)
        worker.collector.collect(order, urgency=Urgency.NOTIFIED, deadline=deadline)
    app.clock.sleep(60)
    sweep(app, worker)
    assert len(app.sink.limits) == 1
    assert delivery(app, "order1")["attempts"] == 0
    app.sink.failure = None
    app.clock.sleep(31)
    sweep(app, worker)

    assert {event.subject for event in app.sink.received} == {"order0", "order1"}


@pytest.mark.parametrize("seconds", [91, -600])
def test_pause_of_a_process_that_was_frozen_ends(app, seconds):
    """Its monotonic clock stands still then; its wall clock may be set back."""
    app.sink.fail("http_429", retry_after=timedelta(seconds=90))
    worker = app.worker()
    worker.collect("order0")
    assert worker.publisher.is_paused()
    app.clock.set(app.clock.now() + timedelta(seconds=seconds))

    assert not worker.publisher.is_paused()


def test_queue_reminds_of_early_deliveries_only(app):
    app.sink.fail()
    collect(app, "order0")
    assert app.queue.receive(1, visibility_seconds=60) == ()
    app.sink.failure = None
    app.clock.sleep(6)
    [reminder] = app.queue.receive(1, visibility_seconds=60)
    assert "order0" in reminder.body

    collect(app, "order0")  # what the message starts

    assert delivery(app)["state"] == "delivered"


def test_message_before_the_due_time_sends_nothing(app):
    app.sink.fail()
    collect(app, "order0")
    app.clock.sleep(1)

    collect(app, "order0")

    assert len(app.sink.limits) == 1

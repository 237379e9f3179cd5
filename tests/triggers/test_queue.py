"""SQS batches and direct calls of the queue trigger."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.errors import OutOfTimeError, StoreUnavailableError
from kycourier.core.orders.record import OrderState
from support.leaks.canaries import NUMBER
from support.rigs.fake_platform import error_reply
from support.rigs.in_memory import APP, InMemoryApp

SAMPLE = Path(__file__).parents[1] / "events/aws_sqs_batch.json"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def app():
    return InMemoryApp()


def queue_over(app):
    return app.worker().orders_queue()


def record(identity, body, **more):
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": identity, "body": text, "eventSource": "aws:sqs", **more}


def deliver(app, *records, seconds=60):
    return queue_over(app).handle({"Records": list(records)}, app.time(seconds))


def failures(*identities):
    return {"batchItemFailures": [{"itemIdentifier": name} for name in identities]}


def test_documented_sqs_event_is_collected(app):
    """Two good records, and one whose body is not JSON."""
    event = json.loads(SAMPLE.read_text())
    *good, bad = event["Records"]
    numbers = [json.loads(sent["body"])["order_no"] for sent in good]
    response = queue_over(app).handle(event, app.time())
    assert response == failures(bad["messageId"])
    assert {app.load(number).state for number in numbers} == {OrderState.COLLECTED}


def test_one_bad_record_of_ten_is_returned_alone(app):
    good = [record(f"m{n}", {"order_no": f"order{n}"}) for n in range(9)]
    assert deliver(app, *good[:4], record("bad", "{"), *good[4:]) == failures("bad")
    assert len(app.sink.events) == 9


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"order_no":"../x"}',
        '{"order_no":"a","app_id":"OTHER"}',
        '{"order_no":"a","document":"passport"}',
        '{"order_no":"a","order_no":"b"}',
        '{"order_no":"\\ud800"}',
        "[" * 10_000,
        json.dumps({"order_no": NUMBER * 3}),
    ],
    ids=lambda body: body[:20],
)
def test_unusable_message_is_returned_and_logged_without_its_text(app, body):
    assert deliver(app, record("m1", body)) == failures("m1")
    assert app.log_events() == ["message_unprocessable", "request_refused"]
    assert NUMBER not in repr(app.event_log.entries)
    assert not app.stores.orders.rows


def test_batch_may_fail_whole(app):
    assert deliver(app, record("a", ""), record("b", "")) == failures("a", "b")


def test_waiting_order_is_acknowledged(app):
    app.upstream.scripts["order1"] = [error_reply("66660011")]
    assert deliver(app, record("m1", {"order_no": "order1"})) == failures()
    assert app.load("order1").state is OrderState.WAITING


def test_duplicates_in_one_batch_have_one_effect(app):
    twice = [record(name, {"order_no": "order1"}) for name in ("m1", "m2", "m3")]
    assert deliver(app, *twice) == failures()
    assert (len(app.sink.events), app.upstream.queries["order1"]) == (1, 1)


def test_batch_without_time_is_returned_unstarted(app):
    both = [record(name, {"order_no": name}) for name in ("m1", "m2")]
    assert deliver(app, *both, seconds=0.8) == failures("m1", "m2")
    assert not app.upstream.tokens


def test_returned_record_is_collected_on_redelivery(app):
    queue, again = queue_over(app), {"Records": [record("m1", {"order_no": "a"})]}
    assert queue.handle(again, app.time(0.8)) == failures("m1")
    assert queue.handle(again, app.time()) == failures()
    assert app.load("a").state is OrderState.COLLECTED


def test_unstorable_order_is_returned(app, monkeypatch):
    def down(*_, **__):
        raise StoreUnavailableError

    monkeypatch.setattr(app.stores.orders, "claim", down)
    assert deliver(app, record("m1", {"order_no": "order1"})) == failures("m1")
    assert "record_returned" in app.log_events()


def test_traceparent_is_carried_into_the_event(app):
    attributes = {"traceparent": {"stringValue": TRACE, "dataType": "String"}}
    sent = record("m1", {"order_no": "order1"}, messageAttributes=attributes)
    deliver(app, sent)
    assert app.bodies()[0]["traceparent"] == TRACE


def test_reminder_respects_the_due_time(app):
    worker = app.worker()
    app.upstream.scripts["order1"] = [error_reply("66660011")]
    worker.collect("order1")
    app.clock.sleep(5)
    worker.collect("order1")
    reminder = {"order_no": "order1", "due": True}
    app.clock.sleep(14)
    deliver(app, record("early", reminder | {"due": True}))
    assert app.upstream.queries["order1"] == 3
    deliver(app, record("again", reminder))
    assert app.upstream.queries["order1"] == 3


@pytest.mark.parametrize(
    "records", [None, {}, "x", [None], [5], [{}], [{"messageId": 7}], [{"body": "{}"}]]
)
def test_malformed_envelope_is_poison(app, records):
    response = queue_over(app).handle({"Records": records}, app.time())
    assert response == failures()
    assert app.stores.orders.poison == [(APP, "batch", "bad_envelope")]


def test_ten_thousand_records_are_processed(app):
    many = [record(f"m{n}", "") for n in range(10_000)]
    assert len(deliver(app, *many)["batchItemFailures"]) == 10_000


class TestDirect:
    def test_call_without_time_fails_unstarted(self, app):
        with pytest.raises(OutOfTimeError):
            queue_over(app).handle({"order_no": "order1"}, app.time(0.8))
        assert not app.stores.orders.rows

    def test_direct_call_returns_the_order(self, app):
        shown = queue_over(app).handle({"order_no": "order1"}, app.time())
        assert json.loads(json.dumps(shown)) == shown
        assert (shown["order_no"], shown["state"]) == ("order1", "collected")
        assert shown["result"]["card"]["number_masked"] == "411111******1111"

    @pytest.mark.parametrize("event", [None, [], "x", {}, {"order_no": "../"}, 5])
    def test_bad_call_is_rejected_and_kept_as_poison(self, app, event):
        response = queue_over(app).handle(event, app.time())
        assert response["status"] == 400
        [(_, source, problem)] = app.stores.orders.poison
        assert (source, problem) == ("direct", response["code"])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Records", "messageId", "body", "order_no", "due"])
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@given(values)
def test_any_event_has_a_response(event):
    app = InMemoryApp()
    assert isinstance(queue_over(app).handle(event, app.time()), dict)

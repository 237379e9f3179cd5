"""SQS batches and direct calls of the queue trigger."""

import json

import pytest

from kycourier.core.errors import OutOfTimeError, StoreUnavailableError
from kycourier.core.orders.record import OrderState
from support.failing_ports import raising
from support.leaks.canaries import NUMBER
from support.rigs.fake_platform import error_reply
from support.rigs.in_memory import APP
from support.sample_events import sample_event

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOT_READY = error_reply("66660011")


def record(identity, body, **more):
    text = body if isinstance(body, str) else json.dumps(body)
    return {"messageId": identity, "body": text, "eventSource": "aws:sqs", **more}


def handle(app, event, seconds=60):
    return app.worker().orders_queue().handle(event, app.time(seconds))


def deliver(app, *records, seconds=60):
    return handle(app, {"Records": list(records)}, seconds)


def failures(*identities):
    return {"batchItemFailures": [{"itemIdentifier": name} for name in identities]}


class TestBatch:
    def test_documented_sqs_event_is_collected(self, app):
        """Two good records, and one whose body is not JSON."""
        event = sample_event("aws_sqs_batch")
        *good, bad = event["Records"]
        numbers = [json.loads(sent["body"])["order_no"] for sent in good]
        assert handle(app, event) == failures(bad["messageId"])
        assert {app.load(number).state for number in numbers} == {OrderState.COLLECTED}

    def test_waiting_order_is_acknowledged(self, app):
        app.upstream.scripts["order1"] = [NOT_READY]
        assert deliver(app, record("m1", {"order_no": "order1"})) == failures()
        assert app.load("order1").state is OrderState.WAITING

    def test_record_without_time_is_returned_and_collected_on_redelivery(self, app):
        queue = app.worker().orders_queue()
        event = {"Records": [record(name, {"order_no": name}) for name in ("a", "b")]}
        assert queue.handle(event, app.time(0.8)) == failures("a", "b")
        assert not app.upstream.tokens
        assert queue.handle(event, app.time()) == failures()
        assert app.load("a").state is OrderState.COLLECTED

    def test_unstorable_order_is_returned(self, app, monkeypatch):
        monkeypatch.setattr(app.stores.orders, "claim", raising(StoreUnavailableError))
        assert deliver(app, record("m1", {"order_no": "order1"})) == failures("m1")
        assert "record_returned" in app.log_events()

    def test_traceparent_is_carried_into_the_event(self, app):
        attributes = {"traceparent": {"stringValue": TRACE, "dataType": "String"}}
        sent = record("m1", {"order_no": "order1"}, messageAttributes=attributes)
        deliver(app, sent)
        assert app.bodies()[0]["traceparent"] == TRACE

    def test_reminder_respects_the_due_time(self, app):
        app.upstream.scripts["order1"] = [NOT_READY]
        worker = app.worker()
        worker.collect("order1")
        app.clock.sleep(5)
        worker.collect("order1")
        queries = app.upstream.queries["order1"]
        app.clock.sleep(14)
        for _ in range(2):
            deliver(app, record("m1", {"order_no": "order1", "due": True}))
            assert app.upstream.queries["order1"] == queries + 1


@pytest.mark.parametrize(
    "body",
    ["", "[]", '{"order_no":"../x"}', '{"order_no":"a","app_id":"OTHER"}',
     '{"order_no":"a","document":"passport"}', '{"order_no":"a","order_no":"b"}',
     json.dumps({"order_no": NUMBER * 3})],
    ids=lambda body: body[:20],
)  # fmt: skip
def test_unusable_message_is_returned_and_logged_without_its_text(app, body):
    assert deliver(app, record("m1", body)) == failures("m1")
    assert app.log_events() == ["message_unprocessable", "request_refused"]
    assert NUMBER not in repr(app.event_log.entries)
    assert not app.stores.orders.rows


def test_duplicates_in_one_batch_have_one_effect(app):
    repeated = [record(name, {"order_no": "order1"}) for name in ("m1", "m2", "m3")]
    assert deliver(app, *repeated) == failures()
    assert (len(app.sink.events), app.upstream.queries["order1"]) == (1, 1)


def test_ten_thousand_records_are_processed(app):
    many = [record(f"m{n}", "") for n in range(10_000)]
    assert len(deliver(app, *many)["batchItemFailures"]) == 10_000


class TestDirectCall:
    def test_call_without_time_fails_unstarted(self, app):
        with pytest.raises(OutOfTimeError):
            handle(app, {"order_no": "order1"}, seconds=0.8)
        assert not app.stores.orders.rows

    def test_call_returns_the_order(self, app):
        order = handle(app, {"order_no": "order1"})
        assert json.loads(json.dumps(order)) == order
        assert (order["order_no"], order["state"]) == ("order1", "collected")
        assert order["result"]["card"]["number_masked"] == "411111******1111"

    @pytest.mark.parametrize(
        ("members", "code"),
        [
            ({"order_no": "../"}, "bad_order_no"),
            ({"order_no": None}, "bad_order_no"),
            ({"order_no": "a", "app_id": ""}, "foreign_app"),
            ({"order_no": "a", "document": ""}, "unknown_document"),
        ],
    )
    def test_bad_call_is_rejected_and_kept_as_poison(self, app, members, code):
        assert handle(app, members) == {"code": code, "status": 400}
        assert app.stores.orders.poison == [(APP, "direct", code)]
